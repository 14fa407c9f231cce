/* test/e2e/sip_dial.c - one call from the command line, to try the stack against other people's
 * far ends: sip_dial URI [user password] [hold-ms]. Says each event on a line; exit status 0 when
 * the call was answered and ended. */
#include "sip/call.h"

#include <stdio.h>
#include <stdlib.h>

static struct loop loop;
static struct timer hold;
static struct sip_call *call;
static int hold_ms = 500;
static int result = 1;

static void on_hold_over(void *owner)
{
	if (call)
		sip_call_hangup(call, NULL);
}

static void say(const char *what, const struct sip_message *m)
{
	printf("%s %u %.*s, body %zu\n", what, m->status, (int)m->reason.size,
		(const char *)m->reason.data, m->body.size);
}

static void on_trying(void *owner, const struct sip_message *m)
{
	say("trying", m);
}

static void on_progress(void *owner, const struct sip_message *m)
{
	say("progress", m);
	if (hold_ms < 0)
		sip_call_hangup(call, NULL);
}

static void on_answered(void *owner, const struct sip_message *m)
{
	say("answered", m);
	timer_start(&hold, (uint64_t)hold_ms, 0);
}

static void on_failed(void *owner, const struct sip_failure *f)
{
	printf("failed %u (%s): %s\n", f->status, sip_why_text(f->why), f->sentence);
	call = NULL;
	loop_stop(&loop);
}

static void on_ended(void *owner, const struct sip_end *e)
{
	printf("ended: %s\n", e->why);
	call = NULL;
	result = 0;
	loop_stop(&loop);
}

static const struct sip_call_events events = {
	.trying = on_trying,
	.progress = on_progress,
	.answered = on_answered,
	.failed = on_failed,
	.ended = on_ended,
};

static int run(struct sip_agent *agent, int argc, char **argv)
{
	static const char sdp[] = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\n"
				  "t=0 0\r\nm=audio 40000 RTP/AVP 0 101\r\n"
				  "a=rtpmap:101 telephone-event/8000\r\n";
	struct sip_invite_config config = {
		.request_uri = argv[1],
		.from_uri = "sip:+15550199@127.0.0.1",
		.username = argc > 3 ? argv[2] : NULL,
		.password = argc > 3 ? argv[3] : NULL,
		.body = span_text(sdp),
	};
	int r = sip_invite(&call, agent, &config, &events, NULL);
	if (r < 0)
		return r;
	loop_run(&loop);
	return 0;
}

int main(int argc, char **argv)
{
	struct dns *dns;
	struct sip_agent *agent;
	struct sip_agent_config config = {.binds = {"127.0.0.1"}, .user_agent = "Ringdown/test"};

	if (argc < 2) {
		fprintf(stderr, "usage: sip_dial URI [USER PASSWORD] [HOLD-MS]\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 3 || argc == 5)
		hold_ms = (int)strtol(argv[argc - 1], NULL, 10);
	if (loop_init(&loop) < 0 || dns_new(&dns, &loop) < 0 ||
		timer_init(&hold, &loop, on_hold_over, NULL) < 0 ||
		sip_agent_new(&agent, &loop, dns, &config, NULL, NULL) < 0)
		return 2;
	if (run(agent, argc, argv) < 0)
		return 2;
	sip_agent_free(agent);
	timer_fini(&hold);
	dns_free(dns);
	loop_fini(&loop);
	return result;
}
