#include "call/offer.h"
#include "test/check.h"

static void choose(const char *names, bool only, const char *expected)
{
	Livekit__SIPCodec codecs[4], *list[4];
	Livekit__SIPMediaConfig media = LIVEKIT__SIPMEDIA_CONFIG__INIT;
	char copy[64];
	snprintf(copy, sizeof copy, "%s", names);
	for (char *at = copy, *name; (name = strsep(&at, " "));)
		if (*name) {
			codecs[media.n_codecs] = (Livekit__SIPCodec)LIVEKIT__SIPCODEC__INIT;
			codecs[media.n_codecs].name = name;
			list[media.n_codecs] = &codecs[media.n_codecs];
			++media.n_codecs;
		}
	media.codecs = list;
	media.only_listed_codecs = only;

	enum codec chosen[OFFER_CODECS_MAX];
	size_t count;
	char got[64] = "";
	offer_choose_codecs(chosen, &count, &media);
	for (size_t i = 0; i < count; ++i)
		snprintf(got + strlen(got), sizeof got - strlen(got), "%s%s", i ? " " : "", codec_facts(chosen[i])->name);
	CHECK_STR(got, expected);
}

static void the_list_comes_first_or_stands_alone(void)
{
	choose("", false, "PCMU PCMA");
	choose("PCMA", false, "PCMA PCMU");
	choose("pcma", true, "PCMA");
	choose("PCMU PCMU PCMU", true, "PCMU");
	choose("G722 PCMA", true, "PCMA");
	choose("G722 opus", true, "");
	choose("G722", false, "PCMU PCMA");
}

static void the_offer_says_what_was_chosen(void)
{
	char text[OFFER_SIZE];
	struct writer w = writer_of(text, sizeof text);
	offer_write(&w, &(struct offer){.ip = "192.0.2.1", .rtp_port = 4000, .codecs = {CODEC_PCMA}, .codec_count = 1});
	write_u8(&w, 0);
	CHECK(!w.bad);
	CHECK(strstr(text, "m=audio 4000 RTP/AVP 8 101\r\n"));
	CHECK(!strstr(text, "PCMU"));
}

int main(void)
{
	the_list_comes_first_or_stands_alone();
	the_offer_says_what_was_chosen();
	return 0;
}
