#include "api/trunk_update.h"

#include "base/err.h"
#include "trunk/check.h"

#include <errno.h>
#include <stdio.h>

static int no(char why[TRUNK_WHY_SIZE], const char *text)
{
	snprintf(why, TRUNK_WHY_SIZE, "%s", text);
	return TRUNK_E_INVALID;
}

static bool has_empty(char *const *list, size_t count)
{
	for (size_t i = 0; i < count; ++i)
		if (!*list[i])
			return true;
	return false;
}

static int check_list(const Livekit__ListUpdate *u, char why[TRUNK_WHY_SIZE])
{
	bool changes = u->n_add || u->n_remove;
	if (u->clear && (u->n_set || changes))
		return no(why, "cannot clear and change the list at the same time");
	if (u->n_set && changes)
		return no(why, "cannot set and change the list at the same time");
	if (!u->clear && !u->n_set && !changes)
		return no(why, "unsupported list update operation");
	if (has_empty(u->set, u->n_set) || has_empty(u->add, u->n_add) || has_empty(u->remove, u->n_remove))
		return no(why, "empty element in the list");
	return 0;
}

int trunk_update_check(const Livekit__SIPOutboundTrunkUpdate *u, char why[TRUNK_WHY_SIZE])
{
	int r = u->numbers ? check_list(u->numbers, why) : 0;
	if (r == 0 && !check_media(u->media, why))
		r = TRUNK_E_INVALID;
	return r;
}

static bool holds(char *const *list, size_t count, const char *text)
{
	for (size_t i = 0; i < count; ++i)
		if (!strcmp(list[i], text))
			return true;
	return false;
}

/* The old numbers but for those removed, then those added that are new. */
static int change_numbers(Livekit__SIPOutboundTrunkInfo *t, struct proto_arena *arena,
	const Livekit__ListUpdate *u)
{
	if (u->clear || u->n_set) {
		t->numbers = u->set;
		t->n_numbers = u->n_set;
		return 0;
	}
	char **list = proto_alloc(arena, (t->n_numbers + u->n_add + 1) * sizeof *list);
	size_t count = 0;
	if (!list)
		return err_new(-ENOMEM);
	for (size_t i = 0; i < t->n_numbers; ++i)
		if (!holds(u->remove, u->n_remove, t->numbers[i]))
			list[count++] = t->numbers[i];
	for (size_t i = 0; i < u->n_add; ++i)
		if (!holds(list, count, u->add[i]))
			list[count++] = u->add[i];
	t->numbers = list;
	t->n_numbers = count;
	return 0;
}

/* The old field `media_encryption` and the one in `media` are one setting; the newer wins. */
static int join_encryption(Livekit__SIPOutboundTrunkInfo *t, struct proto_arena *arena)
{
	Livekit__SIPMediaConfig *both =
		(Livekit__SIPMediaConfig *)proto_new(arena, &livekit__sipmedia_config__descriptor);
	if (!both)
		return err_new(-ENOMEM);
	if (t->media)
		*both = *t->media;
	bool has = both->_encryption_case == LIVEKIT__SIPMEDIA_CONFIG___ENCRYPTION_ENCRYPTION;
	if (!has && t->media_encryption) {
		both->_encryption_case = LIVEKIT__SIPMEDIA_CONFIG___ENCRYPTION_ENCRYPTION;
		both->encryption = t->media_encryption;
		has = true;
	}
	t->media_encryption =
		has ? both->encryption : LIVEKIT__SIPMEDIA_ENCRYPTION__SIP_MEDIA_ENCRYPT_DISABLE;
	t->media = both;
	return 0;
}

#define SET(upper, field)                                                                          \
	do {                                                                                       \
		if (u->_##field##_case ==                                                          \
			LIVEKIT__SIPOUTBOUND_TRUNK_UPDATE___##upper##_##upper)                     \
			ret->field = u->field;                                                     \
	} while (0)

int trunk_update_apply(Livekit__SIPOutboundTrunkInfo *ret, struct proto_arena *arena,
	const Livekit__SIPOutboundTrunkInfo *old, const Livekit__SIPOutboundTrunkUpdate *u)
{
	*ret = *old;
	SET(ADDRESS, address);
	SET(TRANSPORT, transport);
	SET(DESTINATION_COUNTRY, destination_country);
	SET(AUTH_USERNAME, auth_username);
	SET(AUTH_PASSWORD, auth_password);
	SET(NAME, name);
	SET(METADATA, metadata);
	SET(MEDIA_ENCRYPTION, media_encryption);
	SET(FROM_HOST, from_host);
	if (u->media)
		ret->media = u->media;
	int r = join_encryption(ret, arena);
	if (r < 0)
		return r;
	return u->numbers ? change_numbers(ret, arena, u->numbers) : 0;
}
