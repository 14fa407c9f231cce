#include "wire/sdp.h"

#include "test/check.h"

#include <dirent.h>

static struct sdp_media media[LIMIT_SDP_MEDIA];

static enum sdp_error parse(struct sdp *ret, const char *text)
{
	return sdp_parse(ret, media, LIMIT_SDP_MEDIA, span_text(text));
}

static char *load(const char *folder, const char *name)
{
	char path[1024];
	snprintf(path, sizeof path, "%s/sdp/%s", folder, name);
	FILE *f = fopen(path, "rb");
	CHECK(f);
	char *text = calloc(1, LIMIT_SDP_BYTES);
	CHECK(text && fread(text, 1, LIMIT_SDP_BYTES - 1, f) > 0);
	fclose(f);
	return text;
}

/* What browsers and the native SDK really said. */
static void every_recorded_description_is_read(void)
{
	const char *folder = getenv("RINGDOWN_TEST_DATA");
	char path[1024];
	int count = 0;
	CHECK(folder);
	snprintf(path, sizeof path, "%s/sdp", folder);
	DIR *dir = opendir(path);
	CHECK(dir);
	for (struct dirent *e; (e = readdir(dir));) {
		struct sdp s;
		if (e->d_name[0] == '.')
			continue;
		char *text = load(folder, e->d_name);
		CHECK_EQ(parse(&s, text), SDP_OK);
		CHECK(s.bundle.size);
		for (size_t i = 0; i < s.media_count; ++i) {
			CHECK(s.media[i].mid.size && s.media[i].ice_ufrag.size);
			CHECK(span_is(s.media[i].fingerprint_hash, "sha-256"));
			CHECK_EQ(s.media[i].fingerprint.size, 95);
			if (span_is(s.media[i].kind, "audio"))
				CHECK(sdp_find_format(&s.media[i], "OPUS", 48000));
			if (span_is(s.media[i].kind, "application"))
				CHECK_EQ(s.media[i].sctp_port, 5000);
		}
		free(text);
		++count;
	}
	closedir(dir);
	CHECK(count >= 10);
}

static void a_browsers_offer_in_detail(void)
{
	struct sdp s;
	char *text = load(getenv("RINGDOWN_TEST_DATA"), "v0__offer_1_2.sdp");
	CHECK_EQ(parse(&s, text), SDP_OK);
	CHECK_EQ(s.media_count, 2);
	CHECK(span_is(s.bundle, "0 1"));
	CHECK(span_is(s.origin_id, "9217812799194387052"));
	CHECK(s.extmap_allow_mixed && !s.ice_lite);
	CHECK_EQ(s.media[0].max_message_size, 262144);

	const struct sdp_media *m = &s.media[1];
	CHECK_EQ(m->direction, SDP_SENDONLY);
	CHECK(span_is(m->msid_stream, "6a2aa94b-c9ac-4e64-a632-b880fadcb9ea"));
	CHECK(span_is(m->msid_track, "a3fb08b6-6774-4db1-bead-ef76046efa22"));
	CHECK_EQ(m->ssrc_count, 1);
	CHECK_EQ(m->ssrc[0], 1010058532);
	CHECK_EQ(m->format_count, 8);
	const struct sdp_format *f = sdp_find_format(m, "opus", 48000);
	CHECK(f && f->pt == 111 && f->channels == 2 && !f->nack);
	CHECK(span_is(f->fmtp, "minptime=10;useinbandfec=1;stereo=1"));
	CHECK_EQ(sdp_extmap_id(m, "urn:ietf:params:rtp-hdrext:sdes:mid"), 4);
	CHECK_EQ(sdp_extmap_id(m, "urn:ietf:params:rtp-hdrext:ssrc-audio-level"), 1);
	CHECK_EQ(sdp_extmap_id(m, "urn:other"), 0);
	CHECK(span_is(m->setup, "actpass") && m->rtcp_mux);
	CHECK_EQ(m->rtcp_port, 9);
	free(text);
}

static void a_trunks_answer(void)
{
	struct sdp s;
	CHECK_EQ(parse(&s,
			 "v=0\r\no=root 5 6 IN IP4 203.0.113.9\r\ns=call\r\nc=IN IP4 203.0.113.10/127\r\n"
			 "t=0 0\r\nm=audio 18000/2 RTP/AVP 0 8 18 101\r\na=rtpmap:101\ttelephone-event/8000\r\n"
			 "a=fmtp:101 0-16\r\na=ptime:20\r\na=maxptime:150\r\na=sendonly\r\n"
			 "m=video 0 RTP/AVP 31\r\nc=IN IP6 2001:db8::1\r\n"),
		SDP_OK);
	CHECK_EQ(s.media_count, 2);
	CHECK(span_is(s.media[0].connection, "203.0.113.10"));
	CHECK(span_is(s.media[1].connection, "2001:db8::1"));
	CHECK_EQ(s.media[0].port, 18000);
	CHECK_EQ(s.media[1].port, 0);
	CHECK(span_is(s.media[0].protocol, "RTP/AVP"));
	CHECK(sdp_find_format(&s.media[0], "PCMU", 8000)->pt == 0);
	CHECK(sdp_find_format(&s.media[0], "pcma", 8000)->pt == 8);
	CHECK(sdp_find_format(&s.media[0], "telephone-event", 8000)->pt == 101);
	CHECK(!sdp_find_format(&s.media[0], "opus", 48000));
	CHECK_EQ(s.media[0].ptime_ms, 20);
	CHECK_EQ(s.media[0].maxptime_ms, 150);
	CHECK_EQ(s.media[0].direction, SDP_SENDONLY);
	CHECK_EQ(s.media[1].direction, SDP_SENDRECV);
}

static void the_session_speaks_for_its_sections(void)
{
	struct sdp s;
	CHECK_EQ(parse(&s,
			 "v=0\no=- 1 1 IN IP4 0.0.0.0\ns=-\nt=0 0\na=ice-lite\na=ice-ufrag:u\na=ice-pwd:p\n"
			 "a=fingerprint:SHA-256 AA:BB\na=setup:passive\na=inactive\n"
			 "m=audio 9 UDP/TLS/RTP/SAVPF 96\na=rtpmap:96 OPUS/48000/2\na=rtcp-fb:* nack\n"
			 "m=audio 9 UDP/TLS/RTP/SAVPF 96\na=ice-ufrag:other\na=recvonly\na=rtcp-fb:96 nack pli\n"),
		SDP_OK);
	CHECK(s.ice_lite);
	CHECK(span_is(s.media[0].ice_ufrag, "u") && span_is(s.media[1].ice_ufrag, "other"));
	CHECK(span_is(s.media[1].fingerprint, "AA:BB") && span_is(s.media[1].setup, "passive"));
	CHECK_EQ(s.media[0].direction, SDP_INACTIVE);
	CHECK_EQ(s.media[1].direction, SDP_RECVONLY);
	CHECK(s.media[0].formats[0].nack && !s.media[1].formats[0].nack);
}

#define HEAD "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n"

static void odd_ones(void)
{
	static const struct {
		const char *what;
		const char *text;
		enum sdp_error want;
	} cases[] = {
		{"nothing", "", SDP_E_VERSION},
		{"no version first", "o=- 1 1 IN IP4 0.0.0.0\r\n", SDP_E_VERSION},
		{"version one", "v=1\r\nm=audio 9 RTP/AVP 0\r\n", SDP_E_VERSION},
		{"no section", HEAD, SDP_E_EMPTY},
		{"rubbish", "rubbish", SDP_E_VERSION},
		{"a line without =", HEAD "hello\r\n", SDP_E_LINE},
		{"one letter", HEAD "m\r\n", SDP_E_LINE},
		{"m= alone", HEAD "m=\r\n", SDP_E_MEDIA},
		{"port is a word", HEAD "m=audio nine RTP/AVP 0\r\n", SDP_E_MEDIA},
		{"port too large", HEAD "m=audio 65536 RTP/AVP 0\r\n", SDP_E_MEDIA},
		{"no protocol", HEAD "m=audio 9\r\n", SDP_E_MEDIA},
		{"no formats", HEAD "m=audio 9 RTP/AVP\r\n", SDP_OK},
		{"formats that are none", HEAD "m=audio 9 RTP/AVP 300 x 0 0 -1\r\n", SDP_OK},
		{"no blank at the end", HEAD "m=audio 9 RTP/AVP 0\r\na=", SDP_OK},
		{"empty lines", "\r\n\r\n" HEAD "\n\nm=audio 9 RTP/AVP 0\n\n", SDP_OK},
		{"spaces everywhere", "v= 0 \r\nm=  audio   9  RTP/AVP   0  8  \r\n", SDP_OK},
		{"attributes cut short",
			HEAD "m=audio 9 RTP/AVP 0\r\na=rtpmap:\r\na=rtpmap:0\r\na=rtpmap:0 \r\na=fmtp:\r\n"
			     "a=extmap:\r\na=extmap:0 x\r\na=extmap:300 y\r\na=ssrc:\r\na=msid:\r\na=:\r\na\r\n",
			SDP_E_LINE},
		{"the same without the last",
			HEAD "m=audio 9 RTP/AVP 0\r\na=rtpmap:\r\na=rtpmap:0\r\na=rtpmap:0 \r\na=fmtp:\r\n"
			     "a=extmap:\r\na=extmap:0 x\r\na=extmap:300 y\r\na=ssrc:\r\na=msid:\r\na=:\r\n"
			     "a=ssrc:99999999999 a:b\r\na=group:\r\nc=\r\no=\r\na=ptime:x\r\n",
			SDP_OK},
	};
	for (size_t i = 0; i < COUNT_OF(cases); ++i) {
		struct sdp s;
		enum sdp_error got = parse(&s, cases[i].text);
		if (got != cases[i].want)
			fprintf(stderr, "%s: %s\n", cases[i].what, sdp_error_text(got));
		CHECK_EQ(got, cases[i].want);
	}
}

static void limits(void)
{
	struct sdp s;
	static char text[LIMIT_SDP_BYTES + 100];
	memset(text, '\n', sizeof text - 1);
	memcpy(text, "v=0", 3);
	CHECK_EQ(parse(&s, text), SDP_E_SIZE);

	strcpy(text, HEAD "m=audio 9 RTP/AVP 0\r\nm=audio 9 RTP/AVP 0\r\nm=audio 9 RTP/AVP 0\r\n");
	CHECK_EQ(sdp_parse(&s, media, 2, span_text(text)), SDP_E_SECTIONS);
	CHECK_EQ(s.media_count, 2);

	strcpy(text, HEAD "m=audio 9 RTP/AVP 96\r\n");
	for (int i = 1; i < 40; ++i)
		sprintf(text + strlen(text), "a=extmap:%d u%d\r\na=ssrc:%d x:y\r\n", i, i, i);
	CHECK_EQ(parse(&s, text), SDP_OK);
	CHECK_EQ(s.media[0].extmap_count, SDP_EXTMAP_MAX);
	CHECK_EQ(s.media[0].ssrc_count, SDP_SSRC_MAX);

	strcpy(text, HEAD "m=audio 9 RTP/SAVP 0\r\n");
	for (int i = 1; i < 40; ++i)
		sprintf(text + strlen(text), "a=crypto:%d X inline:k\r\na=candidate:%d 1 UDP 1 192.0.2.1 %d typ host\r\n", i, i, i);
	CHECK_EQ(parse(&s, text), SDP_OK);
	CHECK_EQ(s.media[0].crypto_count, SDP_CRYPTO_MAX);
	CHECK(span_is(s.media[0].crypto[1], "2 X inline:k"));
	CHECK_EQ(s.media[0].candidate_count, SDP_CANDIDATES_MAX);
	CHECK(span_is(s.media[0].candidates[1], "2 1 UDP 1 192.0.2.1 2 typ host"));
}

static void what_we_write_we_can_read(void)
{
	static const struct sdp_audio_format codecs[] = {{0, "PCMU", 8000}, {8, "PCMA", 8000}};
	struct sdp_audio_offer o = {.ip = "192.0.2.1", .port = 10000, .session_id = 7,
		.session_version = 1, .formats = codecs, .format_count = 2, .dtmf_pt = 101,
		.ptime_ms = 20, .direction = SDP_SENDRECV};
	char text[1024];
	struct sdp s;

	struct writer w = writer_of(text, sizeof text);
	sdp_write_audio(&w, &o);
	CHECK(!w.bad);
	CHECK_EQ(sdp_parse(&s, media, 4, writer_span(&w)), SDP_OK);
	CHECK_EQ(s.media_count, 1);
	CHECK(span_is(s.media[0].connection, "192.0.2.1") && s.media[0].port == 10000);
	CHECK_EQ(s.media[0].format_count, 3);
	CHECK(span_is(sdp_find_format(&s.media[0], "telephone-event", 8000)->fmtp, "0-15"));
	CHECK_EQ(s.media[0].ptime_ms, 20);
	CHECK_EQ(s.media[0].direction, SDP_SENDRECV);

	o.ip = "2001:db8::5";
	o.dtmf_pt = 0;
	o.direction = SDP_INACTIVE;
	w = writer_of(text, sizeof text);
	sdp_write_audio(&w, &o);
	CHECK_EQ(sdp_parse(&s, media, 4, writer_span(&w)), SDP_OK);
	CHECK(span_is(s.media[0].connection, "2001:db8::5"));
	CHECK_EQ(s.media[0].direction, SDP_INACTIVE);

	struct sdp_crypto keys[2] = {{.tag = 1}, {.tag = 2, .suite = SDP_CRYPTO_AEAD_AES_256_GCM, .mki_bytes = 1}}, back;
	o.protocol = "RTP/SAVP";
	o.crypto = keys;
	o.crypto_count = 2;
	o.rtcp_mux = true;
	w = writer_of(text, sizeof text);
	sdp_write_audio(&w, &o);
	CHECK_EQ(sdp_parse(&s, media, 4, writer_span(&w)), SDP_OK);
	CHECK(span_is(s.media[0].protocol, "RTP/SAVP") && s.media[0].rtcp_mux);
	CHECK_EQ(s.media[0].crypto_count, 2);
	CHECK_EQ(sdp_crypto_parse(&back, s.media[0].crypto[1]), SDP_CRYPTO_OK);
	CHECK(!memcmp(&back, &keys[1], sizeof back));

	w = writer_of(text, 60); /* too small: says so */
	sdp_write_audio(&w, &o);
	CHECK(w.bad && writer_span(&w).size == 0);
}

int main(void)
{
	every_recorded_description_is_read();
	a_browsers_offer_in_detail();
	a_trunks_answer();
	the_session_speaks_for_its_sections();
	odd_ones();
	limits();
	what_we_write_we_can_read();
	return 0;
}
