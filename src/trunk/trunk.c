#include "trunk/trunk.h"

#include "trunk/check.h"
#include "trunk/options.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"
#include "store/store.h"
#include "wire/proto.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define TABLE "outbound_trunks"

/* One trunk as it is kept; `info` and all it points to live in the arena. */
struct trunk {
	struct proto_arena arena;
	const Livekit__SIPOutboundTrunkInfo *info;
};

struct trunks {
	struct store *store;
	struct trunk **sorted; /* by id */
	size_t count, capacity;
	uint64_t version; /* goes up with every change */
};

static struct trunk *trunk_free(struct trunk *t)
{
	if (!t)
		return NULL;
	proto_arena_fini(&t->arena);
	mem_free(t);
	return NULL;
}

/* Outcome: TRUNK_E_INVALID, the bytes are no trunk. */
static int trunk_read(struct trunk **ret, struct span bytes)
{
	struct trunk *t = mem_zalloc(sizeof *t);
	if (!t)
		return err_new(-ENOMEM);
	ProtobufCMessage *m = NULL;
	int r = proto_unpack(&m, &t->arena, &livekit__sipoutbound_trunk_info__descriptor, bytes);
	if (r) {
		trunk_free(t);
		return r < 0 ? r : TRUNK_E_INVALID;
	}
	t->info = (const Livekit__SIPOutboundTrunkInfo *)m;
	*ret = t;
	return 0;
}

/* Where `id` is, or where it would have to be. */
static size_t position(const struct trunks *ts, const char *id, bool *found)
{
	size_t low = 0, high = ts->count;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (strcmp(ts->sorted[middle]->info->sip_trunk_id, id) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*found = low < ts->count && !strcmp(ts->sorted[low]->info->sip_trunk_id, id);
	return low;
}

static int make_room(struct trunks *ts)
{
	if (ts->count < ts->capacity)
		return 0;
	size_t capacity = ts->capacity ? ts->capacity * 2 : 8;
	struct trunk **grown = mem_realloc(ts->sorted, capacity * sizeof *grown);
	if (!grown)
		return err_new(-ENOMEM);
	ts->sorted = grown;
	ts->capacity = capacity;
	return 0;
}

/* There is room (make_room). Takes t; one of the same id goes. */
static void insert(struct trunks *ts, struct trunk *t)
{
	bool found;
	size_t at = position(ts, t->info->sip_trunk_id, &found);
	if (found) {
		trunk_free(ts->sorted[at]);
	} else {
		memmove(ts->sorted + at + 1, ts->sorted + at, (ts->count - at) * sizeof *ts->sorted);
		++ts->count;
	}
	++ts->version;
	ts->sorted[at] = t;
}

static int load_row(void *owner, const char *key, struct span value)
{
	struct trunks *ts = owner;
	struct trunk *t = NULL;
	int r = trunk_read(&t, value);
	if (r < 0)
		return r;
	if (r > 0 || strcmp(t->info->sip_trunk_id, key)) {
		log_warn("trunk", "what is kept as %s is no trunk: left alone", key);
		trunk_free(t);
		return 0;
	}
	r = make_room(ts);
	if (r < 0) {
		trunk_free(t);
		return r;
	}
	insert(ts, t);
	return 0;
}

int trunks_new(struct trunks **ret, struct store *store)
{
	assert(ret && store);

	struct trunks *ts = mem_zalloc(sizeof *ts);
	if (!ts)
		return err_new(-ENOMEM);
	ts->store = store;
	int r = store_each(store, TABLE, load_row, ts);
	if (r < 0) {
		trunks_free(ts);
		return r;
	}
	*ret = ts;
	return 0;
}

struct trunks *trunks_free(struct trunks *ts)
{
	if (!ts)
		return NULL;
	for (size_t i = 0; i < ts->count; ++i)
		trunk_free(ts->sorted[i]);
	mem_free(ts->sorted);
	mem_free(ts);
	return NULL;
}

/* A packed copy of `wanted` under this id. */
static int pack_as(struct buf *b, const Livekit__SIPOutboundTrunkInfo *wanted, const char *id)
{
	Livekit__SIPOutboundTrunkInfo copy = *wanted;
	copy.sip_trunk_id = (char *)id;
	return proto_pack(b, &copy.base);
}

/* Checked already. First to the disk, then into memory: what was answered is kept. The times are as
 * they were given: LiveKit's server leaves them alone too. */
static int keep(const Livekit__SIPOutboundTrunkInfo **ret, struct trunks *ts,
	const Livekit__SIPOutboundTrunkInfo *wanted, const char *id)
{
	struct buf bytes = {0};
	struct trunk *t = NULL;
	int r = make_room(ts);
	if (r == 0)
		r = pack_as(&bytes, wanted, id);
	if (r == 0)
		r = trunk_read(&t, buf_span(&bytes));
	if (r == 0)
		r = store_put(ts->store, TABLE, id, buf_span(&bytes));
	buf_fini(&bytes);
	if (r) {
		trunk_free(t);
		return r < 0 ? r : err_new(-EINVAL);
	}
	insert(ts, t);
	*ret = t->info;
	return 0;
}

Livekit__SIPMediaEncryption trunk_media_encryption(const Livekit__SIPOutboundTrunkInfo *trunk)
{
	const Livekit__SIPMediaConfig *media = trunk->media;

	return media && media->_encryption_case == LIVEKIT__SIPMEDIA_CONFIG___ENCRYPTION_ENCRYPTION
		? media->encryption
		: trunk->media_encryption;
}

/* RFC 4568, 7.2.1: who reads the signalling has the keys. Not so with DTLS. */
static void warn_of_open_keys(const char *id, const Livekit__SIPOutboundTrunkInfo *trunk)
{
	struct trunk_options options;
	char why[TRUNK_WHY_SIZE];

	if (trunk_options_read(&options, trunk->metadata, why) == 0 &&
		options.media_security == TRUNK_MEDIA_SECURITY_DTLS)
		return;
	if (trunk_media_encryption(trunk) != LIVEKIT__SIPMEDIA_ENCRYPTION__SIP_MEDIA_ENCRYPT_DISABLE &&
		trunk->transport != LIVEKIT__SIPTRANSPORT__SIP_TRANSPORT_TLS)
		log_warn("trunk", "%s: the keys of its encrypted sound travel in SIP that is not encrypted; "
				  "set its transport to TLS", id);
}

int trunks_create_outbound(const Livekit__SIPOutboundTrunkInfo **ret, struct trunks *ts,
	const Livekit__SIPOutboundTrunkInfo *wanted, char why[TRUNK_WHY_SIZE])
{
	char id[RNG_ID_SIZE];

	if (*wanted->sip_trunk_id) {
		snprintf(why, TRUNK_WHY_SIZE, "trunk id must not be set");
		return TRUNK_E_INVALID;
	}
	if (!check_trunk(wanted, why))
		return TRUNK_E_INVALID;
	if (ts->count >= LIMIT_TRUNKS) {
		snprintf(why, TRUNK_WHY_SIZE, "there are %d trunks already; delete one first", LIMIT_TRUNKS);
		return TRUNK_E_CONFLICT;
	}
	rng_id(id, "ST_");
	int r = keep(ret, ts, wanted, id);
	if (r == 0) {
		log_info("trunk", "%s made: \"%s\" at %s", id, wanted->name, wanted->address);
		warn_of_open_keys(id, wanted);
	}
	return r;
}

int trunks_replace_outbound(const Livekit__SIPOutboundTrunkInfo **ret, struct trunks *ts,
	const char *id, const Livekit__SIPOutboundTrunkInfo *wanted, char why[TRUNK_WHY_SIZE])
{
	if (*wanted->sip_trunk_id && strcmp(wanted->sip_trunk_id, id)) {
		snprintf(why, TRUNK_WHY_SIZE,
			"trunk id in the info must be empty or match the id in the update");
		return TRUNK_E_INVALID;
	}
	if (!check_trunk(wanted, why))
		return TRUNK_E_INVALID;
	if (!trunks_find_id(ts, id)) {
		snprintf(why, TRUNK_WHY_SIZE, "requested sip trunk does not exist");
		return TRUNK_E_NOT_FOUND;
	}
	/* A copy: `id` may point into the trunk that goes. */
	char own_id[256];
	snprintf(own_id, sizeof own_id, "%s", id);
	int r = keep(ret, ts, wanted, own_id);
	if (r == 0) {
		log_info("trunk", "%s changed", own_id);
		warn_of_open_keys(own_id, *ret);
	}
	return r;
}

int trunks_delete(struct trunks *ts, const char *id)
{
	bool found;
	size_t at = position(ts, id, &found);
	if (!found)
		return TRUNK_E_NOT_FOUND;
	int r = store_delete(ts->store, TABLE, id);
	if (r < 0)
		return r;
	log_info("trunk", "%s deleted", id);
	trunk_free(ts->sorted[at]);
	--ts->count;
	++ts->version;
	memmove(ts->sorted + at, ts->sorted + at + 1, (ts->count - at) * sizeof *ts->sorted);
	return 0;
}

const Livekit__SIPOutboundTrunkInfo *trunks_find_id(struct trunks *ts, const char *id)
{
	bool found;
	size_t at = position(ts, id, &found);
	return found ? ts->sorted[at]->info : NULL;
}

/* Without its port, and the dot that ends a whole name. */
static struct span host_of(const char *address)
{
	const char *end = *address == '[' ? strchr(address, ']') : NULL;
	size_t size = end ? (size_t)(end + 1 - address) : strcspn(address, ":;");

	return span_of(address, size && address[size - 1] == '.' ? size - 1 : size);
}

bool trunk_is_at(const Livekit__SIPOutboundTrunkInfo *trunk, const char *address)
{
	struct span own = host_of(trunk->address), host = host_of(address);
	return own.size == host.size && !strncasecmp((const char *)own.data, (const char *)host.data, host.size);
}

const Livekit__SIPOutboundTrunkInfo *trunks_find_host(struct trunks *ts, const char *address)
{
	for (size_t i = 0; i < ts->count; ++i)
		if (trunk_is_at(ts->sorted[i]->info, address))
			return ts->sorted[i]->info;
	return NULL;
}

size_t trunks_count(const struct trunks *ts)
{
	return ts->count;
}

const Livekit__SIPOutboundTrunkInfo *trunks_at(struct trunks *ts, size_t i)
{
	assert(i < ts->count);
	return ts->sorted[i]->info;
}

/* "bank (ST_abc), ST_def", as many as fit. */
static void name_them(char *out, size_t size, const struct trunks *ts)
{
	size_t used = 0;
	out[0] = 0;
	for (size_t i = 0; i < ts->count; ++i) {
		const Livekit__SIPOutboundTrunkInfo *t = ts->sorted[i]->info;
		char one[320];
		snprintf(one, sizeof one, *t->name ? "%s%s (%s)" : "%s%s%s", i ? ", " : "", t->name,
			t->sip_trunk_id);
		if (used + strlen(one) + 8 > size) {
			snprintf(out + used, size - used, ", ...");
			return;
		}
		used += (size_t)snprintf(out + used, size - used, "%s", one);
	}
}

static int choose_only(const Livekit__SIPOutboundTrunkInfo **ret, struct trunks *ts,
	char why[TRUNK_WHY_SIZE])
{
	if (ts->count == 1) {
		*ret = ts->sorted[0]->info;
		return 0;
	}
	if (ts->count == 0) {
		snprintf(why, TRUNK_WHY_SIZE,
			"No SIP trunk is configured. Make one: ringdown sip outbound create outbound-trunk.json");
		return TRUNK_E_NOT_FOUND;
	}
	char names[TRUNK_WHY_SIZE - 100];
	name_them(names, sizeof names, ts);
	snprintf(why, TRUNK_WHY_SIZE,
		"There are %zu trunks. Say which: set LIVEKIT_SIP_TRUNK to one of %s", ts->count, names);
	return TRUNK_E_CONFLICT;
}

int trunks_choose(const Livekit__SIPOutboundTrunkInfo **ret, struct trunks *ts, const char *name,
	char why[TRUNK_WHY_SIZE])
{
	if (!name || !*name || ts->count == 0)
		return choose_only(ret, ts, why);

	const Livekit__SIPOutboundTrunkInfo *chosen = trunks_find_id(ts, name);
	size_t same = 0;
	for (size_t i = 0; !chosen && i < ts->count; ++i)
		same += !strcmp(ts->sorted[i]->info->name, name);
	if (same > 1) {
		snprintf(why, TRUNK_WHY_SIZE, "%zu trunks are named \"%.100s\". Use the id of one.", same,
			name);
		return TRUNK_E_CONFLICT;
	}
	for (size_t i = 0; same && i < ts->count; ++i)
		if (!strcmp(ts->sorted[i]->info->name, name))
			chosen = ts->sorted[i]->info;
	if (!chosen) {
		char names[TRUNK_WHY_SIZE - 120];
		name_them(names, sizeof names, ts);
		snprintf(why, TRUNK_WHY_SIZE, "No trunk has the name or id \"%.60s\". There is: %s", name,
			names);
		return TRUNK_E_NOT_FOUND;
	}
	*ret = chosen;
	return 0;
}

uint64_t trunks_version(const struct trunks *ts)
{
	return ts->version;
}
