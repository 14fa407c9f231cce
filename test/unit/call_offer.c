#include "call/offer.h"
#include "net/address.h"
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
	choose("", false, "G722 PCMU PCMA");
	choose("PCMA", false, "PCMA G722 PCMU");
	choose("pcma", true, "PCMA");
	choose("PCMU PCMU PCMU", true, "PCMU");
	choose("G722 PCMA", true, "G722 PCMA");
	choose("opus", false, "opus G722 PCMU PCMA");
	choose("G729 AMR", true, "");
	choose("G729", false, "G722 PCMU PCMA");
	choose("red", true, "");
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

static void an_ipv6_address_is_said_so(void)
{
	char text[OFFER_SIZE];
	struct writer w = writer_of(text, sizeof text);
	offer_write(&w, &(struct offer){.ip = "2001:db8::1", .rtp_port = 4000, .codecs = {CODEC_PCMA}, .codec_count = 1});
	write_u8(&w, 0);
	CHECK(!w.bad);
	CHECK(strstr(text, " IN IP6 2001:db8::1\r\ns="));
	CHECK(strstr(text, "\r\nc=IN IP6 2001:db8::1\r\n"));
	CHECK(!strstr(text, "IP4"));
}

/* A leg's sockets are of one family; 0.0.0.0 only holds. */
static void an_answer_of_the_other_family_is_an_outcome(void)
{
	static const struct {
		const char *ours, *theirs;
		enum answer_outcome outcome;
	} cases[] = {
		{"192.0.2.1", "IP4 192.0.2.9", ANSWER_OK},
		{"192.0.2.1", "IP6 2001:db8::9", ANSWER_E_FAMILY},
		{"2001:db8::1", "IP6 2001:db8::9", ANSWER_OK},
		{"2001:db8::1", "IP4 192.0.2.9", ANSWER_E_FAMILY},
		{"2001:db8::1", "IP6 ::ffff:192.0.2.9", ANSWER_E_FAMILY}, /* mapped: no IPv6 socket reaches it */
		{"192.0.2.1", "IP6 ::ffff:192.0.2.9", ANSWER_OK},
		{"2001:db8::1", "IP4 0.0.0.0", ANSWER_OK},
		{"192.0.2.1", "IP6 ::", ANSWER_OK},
		{"192.0.2.1", "IP6 fe80::1%eth0", ANSWER_E_ADDRESS},
	};
	for (size_t i = 0; i < COUNT_OF(cases); ++i) {
		const struct offer ours = {.ip = cases[i].ours, .codecs = {CODEC_PCMU}, .codec_count = 1};
		char text[256];
		struct sdp_media media[1];
		struct sdp sdp;
		struct media_leg_remote r;
		snprintf(text, sizeof text, "v=0\r\no=- 1 1 IN IP4 h\r\ns=-\r\nc=IN %s\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n",
			cases[i].theirs);
		CHECK_EQ(sdp_parse(&sdp, media, COUNT_OF(media), span_text(text)), SDP_OK);
		CHECK_EQ(offer_read_audio(&r, &media[0], &ours), cases[i].outcome);
		if (cases[i].outcome == ANSWER_OK)
			CHECK_EQ(address_port((struct sockaddr *)&r.rtcp), 4001);
	}
}

static void opus_is_offered_with_its_own_clock_for_digits(void)
{
	char text[OFFER_SIZE];
	struct writer w = writer_of(text, sizeof text);
	offer_write(&w, &(struct offer){.ip = "192.0.2.1", .rtp_port = 4000,
				.codecs = {CODEC_OPUS, CODEC_G722, CODEC_PCMU, CODEC_PCMA}, .codec_count = 4});
	write_u8(&w, 0);
	CHECK(!w.bad);
	CHECK(strstr(text, "m=audio 4000 RTP/AVP 111 9 0 8 110 101\r\n"));
	CHECK(strstr(text, "a=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10;useinbandfec=1\r\n"));
	CHECK(strstr(text, "a=rtpmap:9 G722/8000\r\n"));
	CHECK(strstr(text, "a=rtpmap:110 telephone-event/48000\r\na=fmtp:110 0-15\r\n"));
	CHECK(strstr(text, "a=rtpmap:101 telephone-event/8000\r\n"));
}

static struct media_leg_remote understood(const char *section)
{
	static const struct offer ours = {.codecs = {CODEC_OPUS, CODEC_G722, CODEC_PCMU}, .codec_count = 3};
	char text[1024];
	struct sdp_media media[2];
	struct sdp sdp;
	struct media_leg_remote r = {0};
	snprintf(text, sizeof text, "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n%s", section);
	CHECK_EQ(sdp_parse(&sdp, media, COUNT_OF(media), span_text(text)), SDP_OK);
	CHECK_EQ(offer_read_audio(&r, &media[0], &ours), ANSWER_OK);
	offer_expect_our_numbers(&r);
	return r;
}

static enum codec named(const struct media_leg_remote *r, uint8_t pt)
{
	for (size_t i = 0; i < r->payload_count; ++i)
		if (r->payloads[i].pt == pt)
			return r->payloads[i].codec;
	return CODEC__COUNT;
}

static void numbers_count_each_way_for_their_own_side(void)
{
	/* It calls Opus 96 and its digits 97: so we send; what it sends bears ours, or its own. */
	struct media_leg_remote r = understood("m=audio 6000 RTP/AVP 96 9 97\r\na=rtpmap:96 opus/48000/2\r\n"
					 "a=fmtp:96 stereo=0;useinbandfec=1\r\na=rtpmap:97 telephone-event/48000\r\n");
	CHECK_EQ(r.codec, CODEC_OPUS);
	CHECK_EQ(r.pt, 96);
	CHECK(r.fec);
	CHECK_EQ(r.dtmf_pt, 97);
	CHECK_EQ(r.dtmf_hz, 48000);
	CHECK_EQ(named(&r, 111), CODEC_OPUS);
	CHECK_EQ(named(&r, 96), CODEC_OPUS);
	CHECK_EQ(named(&r, 9), CODEC_G722); /* it may change to that */
	CHECK_EQ(named(&r, 0), CODEC__COUNT); /* but not to this */
	CHECK_EQ(named(&r, 97), CODEC_NONE);
	CHECK_EQ(named(&r, 110), CODEC_NONE);

	/* It calls its digits what we call Opus: what it sends as 111 is Opus. */
	r = understood("m=audio 6000 RTP/AVP 101 111\r\na=rtpmap:101 opus/48000/2\r\na=rtpmap:111 telephone-event/8000\r\n");
	CHECK_EQ(r.pt, 101);
	CHECK_EQ(r.dtmf_pt, 111);
	CHECK_EQ(r.dtmf_hz, 8000); /* beside Opus, and better than none */
	CHECK_EQ(named(&r, 111), CODEC_OPUS);
	CHECK_EQ(named(&r, 101), CODEC_NONE);
}

static void packet_times_are_what_can_be_sent(void)
{
	static const struct {
		const char *lines;
		unsigned ms;
	} cases[] = {{"", 20}, {"a=ptime:30\r\n", 30}, {"a=ptime:30\r\na=maxptime:20\r\n", 20}, {"a=maxptime:10\r\n", 10},
		{"a=ptime:5\r\n", 10}, {"a=ptime:200\r\n", 60}, {"a=ptime:45\r\n", 40}, {"a=maxptime:150\r\n", 20}};
	for (size_t i = 0; i < COUNT_OF(cases); ++i) {
		char section[128];
		snprintf(section, sizeof section, "m=audio 6000 RTP/AVP 0\r\n%s", cases[i].lines);
		CHECK_EQ(understood(section).ptime_ms, cases[i].ms);
	}
}

int main(void)
{
	an_ipv6_address_is_said_so();
	an_answer_of_the_other_family_is_an_outcome();
	opus_is_offered_with_its_own_clock_for_digits();
	numbers_count_each_way_for_their_own_side();
	packet_times_are_what_can_be_sent();

	the_list_comes_first_or_stands_alone();
	the_offer_says_what_was_chosen();
	return 0;
}
