#include "signal/codecs.h"

#include "room/inside.h"
#include "test/check.h"

static struct sdp_media parsed;

/* The audio section that these lines make. */
static const struct sdp_media *section(const char *formats, const char *lines)
{
	static char text[1024];
	struct sdp s;
	snprintf(text, sizeof text,
		"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
		"m=audio 9 UDP/TLS/RTP/SAVPF %s\r\n%s",
		formats, lines);
	CHECK_EQ(sdp_parse(&s, &parsed, 1, span_text(text)), SDP_OK);
	return &parsed;
}

#define OPUS "a=rtpmap:109 opus/48000/2\r\n"
#define RED "a=rtpmap:63 red/48000/2\r\n"

static void red_counts_only_around_its_opus(void)
{
	static const struct {
		const char *label, *lines;
		bool found;
	} cases[] = {
		{"as Chromium says it", OPUS RED "a=fmtp:63 109/109\r\n", true},
		{"one copy is not said", OPUS RED "a=fmtp:63 109\r\n", true},
		{"around another codec", OPUS RED "a=fmtp:63 111/111\r\n", false},
		{"around nothing", OPUS RED, false},
		{"nonsense", OPUS RED "a=fmtp:63 x/109\r\n", false},
		{"a number too large", OPUS RED "a=fmtp:63 99999999999109\r\n", false},
		{"no Opus", RED "a=fmtp:63 109/109\r\n", false},
		{"another clock", OPUS "a=rtpmap:63 red/8000\r\na=fmtp:63 109/109\r\n", false},
	};
	for (size_t i = 0; i < COUNT_OF(cases); ++i) {
		const struct sdp_media *m = section("109 63", cases[i].lines);
		if ((codecs_find(m, CODEC_RED) != NULL) != cases[i].found)
			printf("%s\n", cases[i].label);
		CHECK_EQ(codecs_find(m, CODEC_RED) != NULL, cases[i].found);
	}
}

static const char *lines_of(const struct describe_section *d)
{
	static char text[256];
	struct writer w = writer_of(text, sizeof text);
	for (size_t i = 0; i < d->codec_count; ++i)
		write_format(&w, "%s%u %s %s", i ? " | " : "", d->codecs[i].pt,
			d->codecs[i].rtpmap, d->codecs[i].fmtp);
	text[w.used] = '\0';
	return text;
}

static void a_publisher_is_told_what_its_encoder_shall_do(void)
{
	static const struct {
		Livekit__AudioTrackFeature features[2];
		size_t count;
		const char *fmtp;
	} cases[] = {
		{{0}, 0, "minptime=10;useinbandfec=1;usedtx=1"},
		{{LIVEKIT__AUDIO_TRACK_FEATURE__TF_NO_DTX}, 1, "minptime=10;useinbandfec=1"},
		{{LIVEKIT__AUDIO_TRACK_FEATURE__TF_STEREO}, 1,
			"minptime=10;useinbandfec=1;usedtx=1;stereo=1;maxaveragebitrate=510000"},
		{{LIVEKIT__AUDIO_TRACK_FEATURE__TF_STEREO, LIVEKIT__AUDIO_TRACK_FEATURE__TF_NO_DTX}, 2,
			"minptime=10;useinbandfec=1;stereo=1;maxaveragebitrate=510000"},
		{{LIVEKIT__AUDIO_TRACK_FEATURE__TF_AUTO_GAIN_CONTROL}, 1,
			"minptime=10;useinbandfec=1;usedtx=1"},
	};
	struct describe_section d = {0};

	for (size_t i = 0; i < COUNT_OF(cases); ++i) {
		d = (struct describe_section){0};
		codecs_from_client(&d, codecs_wish(cases[i].features, cases[i].count), 111, 0);
		CHECK_EQ(d.codec_count, 1);
		CHECK_STR(d.codecs[0].fmtp, cases[i].fmtp);
	}
	d = (struct describe_section){0};
	codecs_from_client(&d, (struct codec_wish){0}, 111, 0);
	CHECK_STR(lines_of(&d), "111 opus/48000/2 minptime=10;useinbandfec=1");
	d = (struct describe_section){0};
	codecs_from_client(&d, (struct codec_wish){0}, 109, 63);
	CHECK_STR(lines_of(&d),
		"63 red/48000/2 109/109 | 109 opus/48000/2 minptime=10;useinbandfec=1");
}

static void features_are_kept_once(void)
{
	Livekit__AudioTrackFeature list[] = {LIVEKIT__AUDIO_TRACK_FEATURE__TF_NO_DTX,
		LIVEKIT__AUDIO_TRACK_FEATURE__TF_STEREO, LIVEKIT__AUDIO_TRACK_FEATURE__TF_NO_DTX,
		LIVEKIT__AUDIO_TRACK_FEATURE__TF_STEREO};
	Livekit__AudioTrackFeature one[1];

	CHECK_EQ(track_features(one, 1, list, COUNT_OF(list)), 1);
	CHECK_EQ(one[0], LIVEKIT__AUDIO_TRACK_FEATURE__TF_NO_DTX);
	CHECK_EQ(track_features(list, COUNT_OF(list), list, COUNT_OF(list)), 2); /* in place */
	CHECK_EQ(list[1], LIVEKIT__AUDIO_TRACK_FEATURE__TF_STEREO);
	CHECK_EQ(track_features(one, 1, NULL, 0), 0);
}

static struct track track_as(const char *mime, bool stereo)
{
	static const Livekit__AudioTrackFeature feature = LIVEKIT__AUDIO_TRACK_FEATURE__TF_STEREO;
	return (struct track){
		.config = {.mime_type = mime, .features = &feature, .feature_count = stereo}};
}

static void lost_packets_may_be_asked_for(void)
{
	struct track red = track_as("audio/red", false), opus = track_as("audio/opus", false);
	struct describe_section d = {0};

	codecs_offer(&d, &opus);
	codecs_add_nack(&d, NULL);
	CHECK(d.codec_count == 1 && d.codecs[0].nack);
	d = (struct describe_section){0};
	codecs_offer(&d, &red);
	codecs_add_nack(&d, NULL);
	CHECK(d.codec_count == 2 && !d.codecs[0].nack && !d.codecs[1].nack);

	const struct sdp_media *m = section("109", OPUS "a=rtcp-fb:109 nack\r\n");
	d = (struct describe_section){0};
	codecs_answer(&d, &opus, m);
	codecs_add_nack(&d, m);
	CHECK(d.codecs[0].nack && codecs_best(&opus, m).nack && codecs_first(&opus, m).nack);
	CHECK(codecs_best(&red, m).nack); /* which then is plain Opus */
	m = section("63 109", OPUS RED "a=fmtp:63 109/109\r\na=rtcp-fb:* nack\r\n");
	CHECK(!codecs_best(&red, m).nack && !codecs_first(&red, m).nack);
	m = section("109", OPUS "a=rtcp-fb:109 transport-cc\r\n");
	d = (struct describe_section){0};
	codecs_answer(&d, &opus, m);
	codecs_add_nack(&d, m);
	CHECK(!d.codecs[0].nack && !codecs_best(&opus, m).nack);
}

static void encrypted_sound_never_travels_as_red(void)
{
	Livekit__AddTrackRequest a = LIVEKIT__ADD_TRACK_REQUEST__INIT;
	CHECK(codecs_may_be_red(&a));
	a.disable_red = true;
	CHECK(!codecs_may_be_red(&a));
	a.disable_red = false;
	a.encryption = LIVEKIT__ENCRYPTION__TYPE__GCM;
	CHECK(!codecs_may_be_red(&a));
}

static void a_listener_is_offered_the_best_first(void)
{
	static const struct {
		const char *mime;
		bool stereo;
		const char *lines;
	} cases[] = {
		{"audio/opus", false, "111 opus/48000/2 minptime=10;useinbandfec=1"},
		{"audio/opus", true, "111 opus/48000/2 minptime=10;useinbandfec=1;sprop-stereo=1"},
		{"audio/red", false,
			"63 red/48000/2 111/111 | 111 opus/48000/2 minptime=10;useinbandfec=1"},
		{"audio/PCMU", false, "0 PCMU/8000  | 111 opus/48000/2 minptime=10;useinbandfec=1"},
		{"audio/PCMA", false, "8 PCMA/8000  | 111 opus/48000/2 minptime=10;useinbandfec=1"},
		{"video/VP8", false, "111 opus/48000/2 minptime=10;useinbandfec=1"},
		{NULL, false, "111 opus/48000/2 minptime=10;useinbandfec=1"},
	};
	for (size_t i = 0; i < COUNT_OF(cases); ++i) {
		struct track t = track_as(cases[i].mime, cases[i].stereo);
		struct describe_section d = {0};
		codecs_offer(&d, &t);
		CHECK_STR(lines_of(&d), cases[i].lines);
	}
	struct describe_section d = {0};
	codecs_offer(&d, NULL);
	CHECK_STR(lines_of(&d), "111 opus/48000/2 minptime=10;useinbandfec=1");
}

static void the_listener_chooses(void)
{
	static const struct {
		const char *mime, *formats, *lines;
		struct codec_choice best, first;
	} cases[] = {
		{"audio/red", "63 109", OPUS RED "a=fmtp:63 109/109\r\n", {CODEC_RED, 63, 109},
			{CODEC_RED, 63, 109}},
		{"audio/red", "109 63", OPUS RED "a=fmtp:63 109/109\r\n", {CODEC_RED, 63, 109},
			{CODEC_OPUS, 109, 109}},
		{"audio/red", "109", OPUS, {CODEC_OPUS, 109, 109}, {CODEC_OPUS, 109, 109}},
		{"audio/opus", "63 109", OPUS RED "a=fmtp:63 109/109\r\n", {CODEC_OPUS, 109, 109},
			{CODEC_OPUS, 109, 109}},
		{"audio/PCMU", "9 0 109", OPUS, {CODEC_PCMU, 0, 109}, {CODEC_PCMU, 0, 109}},
		{"audio/PCMA", "0 109", OPUS, {CODEC_OPUS, 109, 109}, {CODEC_OPUS, 109, 109}},
		{"audio/opus", "0 8", "", {CODEC_NONE, 0, 0}, {CODEC_NONE, 0, 0}},
	};
	for (size_t i = 0; i < COUNT_OF(cases); ++i) {
		struct track t = track_as(cases[i].mime, false);
		const struct sdp_media *m = section(cases[i].formats, cases[i].lines);
		struct codec_choice best = codecs_best(&t, m), first = codecs_first(&t, m);
		CHECK(best.codec == cases[i].best.codec && best.pt == cases[i].best.pt &&
			best.opus_pt == cases[i].best.opus_pt);
		CHECK(first.codec == cases[i].first.codec && first.pt == cases[i].first.pt &&
			first.opus_pt == cases[i].first.opus_pt);
	}
}

int main(void)
{
	red_counts_only_around_its_opus();
	a_publisher_is_told_what_its_encoder_shall_do();
	features_are_kept_once();
	lost_packets_may_be_asked_for();
	encrypted_sound_never_travels_as_red();
	a_listener_is_offered_the_best_first();
	the_listener_chooses();
	return 0;
}
