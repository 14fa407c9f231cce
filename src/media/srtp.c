#include "media/srtp.h"

#include "base/err.h"
#include "base/mem.h"

#include <arpa/inet.h>
#include <errno.h>
#include <srtp2/srtp.h>

struct srtp_pair {
	srtp_t in, out;
};

size_t srtp_profile_key_bytes(enum srtp_profile p)
{
	return 16;
}

size_t srtp_profile_salt_bytes(enum srtp_profile p)
{
	return p == SRTP_PROFILE_AEAD_AES_128_GCM ? 12 : 14;
}

static int session_new(srtp_t *ret, const struct srtp_keys *keys, const uint8_t *key,
	srtp_ssrc_type_t direction)
{
	srtp_policy_t policy = {0};

	if (keys->profile == SRTP_PROFILE_AEAD_AES_128_GCM) {
		srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp);
		srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtcp);
	} else {
		srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtp);
		srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtcp);
	}
	policy.ssrc.type = direction;
	policy.key = (unsigned char *)key; /* only read */
	policy.window_size = SRTP_REPLAY_WINDOW;
	policy.allow_repeat_tx = 1; /* struct sent_window of each sink knows what may be repeated */
	srtp_err_status_t status = srtp_create(ret, &policy);
	return status == srtp_err_status_ok ? 0 : err_new(-ENOMEM);
}

int srtp_library_start(void)
{
	static bool started;

	if (started)
		return 0;
	if (srtp_init() != srtp_err_status_ok)
		return err_new(-EIO);
	started = true;

	/* The crypto library behind it wakes up at the first session: let that be now. */
	struct srtp_keys keys = {.profile = SRTP_PROFILE_AEAD_AES_128_GCM};
	struct srtp_pair *warm = NULL;
	int r = srtp_pair_new(&warm, &keys, true);
	srtp_pair_free(warm);
	return r;
}

int srtp_pair_new(struct srtp_pair **ret, const struct srtp_keys *keys, bool we_are_client)
{
	struct srtp_pair *p = mem_zalloc(sizeof *p);
	if (!p)
		return err_new(-ENOMEM);

	const uint8_t *ours = we_are_client ? keys->client : keys->server;
	const uint8_t *theirs = we_are_client ? keys->server : keys->client;
	int r = session_new(&p->in, keys, theirs, ssrc_any_inbound);
	if (r == 0)
		r = session_new(&p->out, keys, ours, ssrc_any_outbound);
	if (r < 0) {
		srtp_pair_free(p);
		return r;
	}
	*ret = p;
	return 0;
}

struct srtp_pair *srtp_pair_free(struct srtp_pair *p)
{
	if (!p)
		return NULL;
	if (p->in)
		srtp_dealloc(p->in);
	if (p->out)
		srtp_dealloc(p->out);
	mem_free(p);
	return NULL;
}

typedef srtp_err_status_t transform_fn(srtp_t session, void *packet, int *size);

static bool transform(transform_fn *f, srtp_t session, uint8_t *packet, size_t *size)
{
	int n = (int)*size;

	if (f(session, packet, &n) != srtp_err_status_ok)
		return false;
	*size = (size_t)n;
	return true;
}

bool srtp_pair_protect(struct srtp_pair *p, uint8_t *packet, size_t *size)
{
	return transform(srtp_protect, p->out, packet, size);
}

bool srtp_pair_protect_again(struct srtp_pair *p, uint8_t *packet, size_t *size)
{
	return transform(srtp_protect, p->out, packet, size);
}

bool srtp_pair_unprotect(struct srtp_pair *p, uint8_t *packet, size_t *size)
{
	return transform(srtp_unprotect, p->in, packet, size);
}

bool srtp_pair_protect_rtcp(struct srtp_pair *p, uint8_t *packet, size_t *size)
{
	return transform(srtp_protect_rtcp, p->out, packet, size);
}

bool srtp_pair_unprotect_rtcp(struct srtp_pair *p, uint8_t *packet, size_t *size)
{
	return transform(srtp_unprotect_rtcp, p->in, packet, size);
}

void srtp_pair_forget_incoming(struct srtp_pair *p, uint32_t ssrc)
{
	(void)srtp_remove_stream(p->in, htonl(ssrc)); /* not there: fine */
}

void srtp_pair_forget_outgoing(struct srtp_pair *p, uint32_t ssrc)
{
	(void)srtp_remove_stream(p->out, htonl(ssrc));
}
