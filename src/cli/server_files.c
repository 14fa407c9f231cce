/* cli/server_files.c - files that may change while we run: the certificates with their keys, and key_file.
 * They are looked at every few seconds, and at once on SIGHUP. What is new and wrong is told, and what was
 * read before stays. */
#include "cli/server.h"

#include "base/log.h"

#include <stdio.h>
#include <sys/stat.h>

enum { LOOK_MS = 2000 };

/* True when the file is another than `stamp` says, which is brought up to date. */
static bool has_changed(struct file_stamp *stamp, const char *path)
{
	struct stat st;
	struct file_stamp now = {0};
	if (stat(path, &st) == 0)
		now = (struct file_stamp){(uint64_t)st.st_size, st.st_ino,
			(uint64_t)st.st_ctim.tv_sec * 1000000000u + (uint64_t)st.st_ctim.tv_nsec};
	bool changed = memcmp(&now, stamp, sizeof now) != 0;
	*stamp = now;
	return changed;
}

/* ---- the certificate ---- */

static int open_tls(struct server *s)
{
	char why[TLS_WHY_SIZE];
	const struct config *c = &s->config;
	if (!c->tls.cert_file)
		return 0;
	const struct tls_config own = {
		.cert_file = c->tls.cert_file, .key_file = c->tls.key_file, .alpn = "http/1.1"};
	int r = tls_context_new(&s->tls, &own, why);
	if (r > 0)
		log_error("serve", "TLS: %s", why);
	return r > 0 ? -EINVAL : r;
}

/* SIP over TLS: who calls us meets our certificate, and whom we call may ask for it. */
static int open_sip_tls(struct server *s)
{
	char why[TLS_WHY_SIZE];
	const struct config_sip_tls *c = &s->config.sip.tls;
	const struct tls_config client = {
		.client = true, .cert_file = c->cert_file, .key_file = c->key_file, .ca_file = c->ca_file};
	const struct tls_config server = {.cert_file = c->cert_file, .key_file = c->key_file};
	int r = tls_context_new(&s->sip_tls_client, &client, why);
	if (r == 0 && c->cert_file)
		r = tls_context_new(&s->sip_tls_server, &server, why);
	if (r > 0)
		log_error("serve", "sip.tls: %s", why);
	return r > 0 ? -EINVAL : r;
}

static void reload(struct tls_context *context, const char *what)
{
	char why[TLS_WHY_SIZE] = "out of memory";
	if (tls_context_reload(context, why))
		log_warn("serve", "%s: the files have changed and cannot be used, the certificate stays: %s", what, why);
	else
		log_info("serve", "%s: the certificate was read again", what);
}

static void look_at_tls(struct server *s, bool now)
{
	const struct config *c = &s->config;
	if (!s->tls)
		return;
	bool changed = has_changed(&s->cert_stamp, c->tls.cert_file);
	changed |= has_changed(&s->key_stamp, c->tls.key_file);
	if (changed || now)
		reload(s->tls, "TLS");
}

static bool sip_tls_has_changed(struct server *s)
{
	const struct config_sip_tls *c = &s->config.sip.tls;
	bool changed = c->cert_file && has_changed(&s->sip_cert_stamp, c->cert_file);
	changed |= c->cert_file && has_changed(&s->sip_key_stamp, c->key_file);
	changed |= c->ca_file && has_changed(&s->sip_ca_stamp, c->ca_file);
	return changed;
}

static void look_at_sip_tls(struct server *s, bool now)
{
	const struct config_sip_tls *c = &s->config.sip.tls;
	bool changed = sip_tls_has_changed(s);
	if (!changed && (!now || (!c->cert_file && !c->ca_file)))
		return;
	reload(s->sip_tls_client, "sip.tls");
	if (s->sip_tls_server)
		reload(s->sip_tls_server, "sip.tls");
}

/* ---- API keys ---- */

/* The first key, unless it has gone: texts that others hold on to stay where they are. */
static void choose_sign_key(struct server *s)
{
	if (!*s->sign_key || !server_secret(s, s->sign_key))
		snprintf(s->sign_key, sizeof s->sign_key, "%s", s->config.keys.items[0].name);
}

static void reload_keys(struct server *s)
{
	struct buf problems = {0};
	if (config_reload_keys(&s->config, &problems)) {
		int size = problems.size ? (int)problems.size - 1 : 0; /* without its end of line */
		log_warn("serve", "key_file has changed and cannot be used, the keys stay: %.*s", size,
			size ? (const char *)problems.data : "");
	} else {
		choose_sign_key(s);
		log_info("serve", "API keys were read again: there are %zu", s->config.keys.count);
	}
	buf_fini(&problems);
}

/* ---- all of them ---- */

int server_read_files(struct server *s)
{
	const struct config *c = &s->config;
	choose_sign_key(s);
	if (c->key_file)
		has_changed(&s->api_keys_stamp, c->key_file);
	if (c->tls.cert_file) {
		has_changed(&s->cert_stamp, c->tls.cert_file);
		has_changed(&s->key_stamp, c->tls.key_file);
	}
	sip_tls_has_changed(s);
	int r = open_tls(s);
	return r == 0 ? open_sip_tls(s) : r;
}

void server_close_files(struct server *s)
{
	s->sip_tls_server = tls_context_free(s->sip_tls_server);
	s->sip_tls_client = tls_context_free(s->sip_tls_client);
}

static void look(struct server *s, bool now)
{
	const struct config *c = &s->config;
	bool changed = c->key_file && has_changed(&s->api_keys_stamp, c->key_file);
	if (c->key_file && (changed || now))
		reload_keys(s);
	look_at_tls(s, now);
	look_at_sip_tls(s, now);
}

void server_look_at_files(struct server *s)
{
	uint64_t now_ms = loop_now_ms(&s->loop);
	if (now_ms - s->files_looked_ms < LOOK_MS)
		return;
	s->files_looked_ms = now_ms;
	look(s, false);
}

static void on_hangup(uv_signal_t *handle, int number)
{
	log_info("serve", "SIGHUP: certificates and key_file are read again");
	look(handle->data, true);
}

void server_watch_hangup(struct server *s)
{
	uv_signal_init(&s->loop.uv, &s->on_hup);
	s->on_hup.data = s;
	uv_signal_start(&s->on_hup, on_hangup, SIGHUP);
}
