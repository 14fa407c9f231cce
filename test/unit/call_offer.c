#include "call/offer.h"
#include "net/address.h"
#include "test/check.h"
#include "wire/sdp.h"

static void our_offer_reads_back(void)
{
	char text[OFFER_SIZE];
	struct writer w = writer_of(text, sizeof text);
	offer_write(&w, "192.0.2.7", 10002, 42);
	struct span body = writer_span(&w);
	CHECK(body.size > 0);

	struct sdp_media m[2];
	struct sdp sdp;
	CHECK_EQ(sdp_parse(&sdp, m, COUNT_OF(m), body), SDP_OK);
	CHECK_EQ(sdp.media_count, 1);
	CHECK_EQ(m[0].port, 10002);
	CHECK(span_is(m[0].connection, "192.0.2.7"));
	CHECK(sdp_find_format(&m[0], "PCMU", 8000) && sdp_find_format(&m[0], "PCMA", 8000));
	CHECK_EQ(sdp_find_format(&m[0], "telephone-event", 8000)->pt, OFFER_DTMF_PT);
	CHECK_EQ(m[0].ptime_ms, 20);
}

#define HEAD "v=0\r\no=- 1 1 IN IP4 172.18.0.3\r\ns=Twilio Media Gateway\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n"

static void answers_mean_what_they_say(void)
{
	static const struct {
		const char *about, *body;
		enum answer_outcome want;
		enum codec codec;
		uint8_t pt, dtmf_pt, ptime_ms;
		bool send, receive;
	} cases[] = {
		{"Twilio's", HEAD "m=audio 12000 RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\n"
				  "a=ptime:20\r\na=sendrecv\r\n",
			ANSWER_OK, CODEC_PCMU, 0, 101, 20, true, true},
		{"static types without rtpmap", HEAD "m=audio 12000 RTP/AVP 8\r\n", ANSWER_OK, CODEC_PCMA, 8, 0, 20, true, true},
		{"its own numbers", HEAD "m=audio 12000 RTP/AVP 96 97\r\na=rtpmap:96 PCMA/8000\r\na=rtpmap:97 "
					 "telephone-event/8000\r\na=ptime:30\r\n",
			ANSWER_OK, CODEC_PCMA, 96, 97, 30, true, true},
		{"they only send", HEAD "m=audio 12000 RTP/AVP 0\r\na=sendonly\r\n", ANSWER_OK, CODEC_PCMU, 0, 0, 20, false, true},
		{"on hold", HEAD "m=audio 12000 RTP/AVP 0\r\na=inactive\r\n", ANSWER_OK, CODEC_PCMU, 0, 0, 20, false, false},
		{"a ptime beyond reason", HEAD "m=audio 12000 RTP/AVP 0\r\na=ptime:9000\r\n", ANSWER_OK, CODEC_PCMU, 0, 0, 20,
			true, true},
		{"a shorter maximum", HEAD "m=audio 12000 RTP/AVP 0\r\na=ptime:40\r\na=maxptime:20\r\n", ANSWER_OK, CODEC_PCMU, 0,
			0, 20, true, true},
		{"G.729 only", HEAD "m=audio 12000 RTP/AVP 18\r\n", ANSWER_E_CODEC},
		{"refused section", HEAD "m=audio 0 RTP/AVP 0\r\n", ANSWER_E_NO_AUDIO},
		{"SRTP though we offered none", HEAD "m=audio 12000 RTP/SAVP 0\r\n", ANSWER_E_NO_AUDIO},
		{"a name instead of an address", "v=0\r\no=- 1 1 IN IP4 h\r\ns=-\r\nc=IN IP4 media.example\r\nt=0 0\r\nm=audio "
						 "12000 RTP/AVP 0\r\n",
			ANSWER_E_ADDRESS},
		{"no SDP", "hello", ANSWER_E_SDP},
		{"nothing", "", ANSWER_E_SDP},
	};
	for (size_t i = 0; i < COUNT_OF(cases); ++i) {
		struct media_leg_remote r = {0};
		enum answer_outcome got = answer_read(&r, span_text(cases[i].body));
		if (got != cases[i].want)
			fprintf(stderr, "case: %s\n", cases[i].about);
		CHECK_EQ(got, cases[i].want);
		CHECK(answer_outcome_text(got)[0]);
		if (got != ANSWER_OK)
			continue;
		CHECK_EQ(r.codec, cases[i].codec);
		CHECK_EQ(r.pt, cases[i].pt);
		CHECK_EQ(r.dtmf_pt, cases[i].dtmf_pt);
		CHECK_EQ(r.ptime_ms, cases[i].ptime_ms);
		CHECK(r.send == cases[i].send && r.receive == cases[i].receive);
		CHECK_EQ(address_port((struct sockaddr *)&r.rtp), 12000);
		CHECK_EQ(address_port((struct sockaddr *)&r.rtcp), 12001);
	}
}

int main(void)
{
	our_offer_reads_back();
	answers_mean_what_they_say();
	return 0;
}
