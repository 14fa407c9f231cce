#include "simulator/carrier_log.h"

#include "base/clock.h"
#include "wire/sip_mask.h"

#include <stdlib.h>

enum { MESSAGE_MAX = 8192 };

void carrier_log_init(struct carrier_log *l, void (*line)(void *owner, const char *json), void *owner)
{
	*l = (struct carrier_log){.line = line, .owner = owner, .start_ms = clock_ms()};
}

void carrier_log_event(struct carrier_log *l, const char *event, const char *call, json_t *fields)
{
	json_t *line = l->line ? json_object() : NULL;
	if (line) {
		json_object_set_new(line, "n", json_integer((json_int_t)++l->count));
		json_object_set_new(line, "ms", json_integer((json_int_t)(clock_ms() - l->start_ms)));
		json_object_set_new(line, "event", json_string(event));
		if (call)
			json_object_set_new(line, "call", json_string(call));
		if (fields)
			json_object_update(line, fields);
		char *text = json_dumps(line, JSON_COMPACT | JSON_PRESERVE_ORDER);
		if (text)
			l->line(l->owner, text);
		free(text); /* jansson's own memory */
	}
	json_decref(line);
	json_decref(fields);
}

static json_t *ascii(struct span s, bool keep_line_ends)
{
	char text[MESSAGE_MAX];
	size_t size = s.size < sizeof text ? s.size : sizeof text;
	for (size_t i = 0; i < size; ++i) {
		uint8_t c = s.data[i];
		bool line_end = c == '\r' || c == '\n' || c == '\t';
		text[i] = (char)((c >= 0x20 && c < 0x7f) || (line_end && keep_line_ends) ? c : '?');
	}
	return json_stringn(text, size);
}

json_t *carrier_log_text(struct span s)
{
	return ascii(s, false);
}

json_t *carrier_log_message(struct span s)
{
	uint8_t bytes[MESSAGE_MAX];
	size_t size = s.size < sizeof bytes ? s.size : sizeof bytes;
	memcpy(bytes, s.data, size);
	sip_mask(bytes, size);
	return ascii(span_of(bytes, size), true);
}
