#include "signal/session.h"

#include "base/mem.h"

#include <assert.h>
#include <ctype.h>

void peer_make_ice(struct peer *p)
{
	media_ice_make(&p->ice, room_worker(participant_room(p->session->participant)));
}

int peer_open(struct peer *p, struct session *s)
{
	assert(!p->transport);
	struct signal_door *d = s->door;

	p->session = s;
	list_init(&p->sections);
	p->origin_id = rng_u64() >> 2; /* RFC 8829, 5.2.1: 63 bits */
	peer_make_ice(p);
	media_id id;
	int r = media_transport_open(
		&id, d->media, room_worker(participant_room(s->participant)), &p->ice);
	if (r)
		return r;
	p->transport = id;
	r = map_put_id(&d->peers, &p->by_transport, id);
	if (r) {
		media_transport_close(d->media, id);
		p->transport = 0;
	}
	return r > 0 ? err_new(-EEXIST) : r;
}

void peer_fini(struct peer *p)
{
	if (!p->transport)
		return;
	data_fini(p);
	while (!list_empty(&p->sections))
		peer_drop_section(p, list_first(&p->sections, struct section, link));
	map_remove(&p->session->door->peers, &p->by_transport);
	media_transport_close(p->session->door->media, p->transport);
	p->transport = 0;
}

struct section *peer_find(struct peer *p, struct span mid)
{
	list_each(it, &p->sections) {
		struct section *c = container_of(it, struct section, link);
		if (span_is(mid, c->mid))
			return c;
	}
	return NULL;
}

int peer_add_section(struct section **ret, struct peer *p, struct span mid, enum section_kind kind)
{
	assert(mid.size <= SECTION_MID_MAX);
	struct section *c = mem_zalloc(sizeof *c);
	if (!c)
		return err_new(-ENOMEM);
	memcpy(c->mid, mid.data, mid.size);
	c->kind = kind;
	list_add(&p->sections, &c->link);
	++p->section_count;
	*ret = c;
	return 0;
}

/* Whoever used it lets go first: publish_stop(), and the hearing waits for another section. */
void peer_drop_section(struct peer *p, struct section *c)
{
	if (c->pub)
		c->pub->section = NULL;
	if (c->hearing)
		c->hearing->section = NULL;
	list_remove(&c->link);
	--p->section_count;
	mem_free(c);
}

static const struct sdp_media *with_transport(const struct sdp *remote)
{
	for (size_t i = 0; i < remote->media_count; ++i) {
		const struct sdp_media *m = &remote->media[i];
		if (m->ice_ufrag.size && m->fingerprint.size)
			return m;
	}
	return NULL;
}

static bool copy_text(char *out, size_t size, struct span s)
{
	if (s.size >= size)
		return false;
	memcpy(out, s.data, s.size);
	out[s.size] = 0;
	return true;
}

/* RFC 5763, 5: "active" begins the handshake. Asked for either, we begin it. */
static bool we_begin(const struct sdp_media *m, bool we_answer)
{
	if (we_answer)
		return !span_is(m->setup, "active");
	return span_is(m->setup, "passive");
}

int peer_set_remote(struct peer *p, const struct sdp *remote, bool we_answer)
{
	const struct sdp_media *m = with_transport(remote);
	struct media_remote r = {0};

	if (!m || !span_is_nocase(m->fingerprint_hash, "sha-256"))
		return PEER_E_BAD;
	if (m->fingerprint.size != MEDIA_FINGERPRINT_SIZE - 1)
		return PEER_E_BAD;
	if (!copy_text(r.ufrag, sizeof r.ufrag, m->ice_ufrag) ||
		!copy_text(r.fingerprint, sizeof r.fingerprint, m->fingerprint))
		return PEER_E_BAD;
	for (char *c = r.fingerprint; *c; ++c)
		*c = (char)toupper((unsigned char)*c);
	r.dtls_client = p->has_remote ? p->remote.dtls_client : we_begin(m, we_answer);

	bool restart = p->has_remote && strcmp(r.ufrag, p->remote.ufrag) != 0;
	if (p->has_remote && !restart)
		return 0;
	/* RFC 8839, 4.4.1.1.1: the answer to a restart has new credentials, too. */
	if (restart && we_answer)
		peer_make_ice(p);
	p->remote = r;
	p->has_remote = true;
	media_transport_remote(
		p->session->door->media, p->transport, &p->remote, restart ? &p->ice : NULL);
	return 0;
}
