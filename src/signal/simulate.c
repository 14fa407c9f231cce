/* Trouble that a client asks for, to see what comes of it: SimulateScenario. */
#include "signal/session.h"

enum {
	CUT_MS = 5000, /* for the client to come back after it asked to be cut off */
	SPEAKING_S_MAX = 60,
};

/* ---- speakers ---- */

static void on_quiet(void *owner)
{
	struct session *s = owner;
	participant_pretend_speaking(s->participant, 0);
}

static void speak(struct session *s, int32_t seconds)
{
	if (seconds < 0)
		seconds = 0;
	if (seconds > SPEAKING_S_MAX)
		seconds = SPEAKING_S_MAX;
	participant_pretend_speaking(s->participant, 0.9F);
	timer_start(&s->simulation.quiet, (uint64_t)seconds * 1000, 0);
}

int simulate_init(struct session *s)
{
	return timer_init(&s->simulation.quiet, s->door->loop, on_quiet, s);
}

void simulate_fini(struct session *s)
{
	timer_fini(&s->simulation.quiet);
}

/* ---- a resume that does not last ---- */

static void cut_next_resume(struct session *s, bool wordless)
{
	s->simulation.cut_until_ms = loop_now_ms(s->door->loop) + CUT_MS;
	s->simulation.wordless = wordless;
}

bool simulate_cuts(struct session *s, bool before)
{
	struct simulation *m = &s->simulation;
	if (!m->cut_until_ms || m->wordless != before)
		return false;
	bool cut = loop_now_ms(s->door->loop) < m->cut_until_ms;
	m->cut_until_ms = 0;
	if (cut)
		session_close_socket(s);
	return cut;
}

/* ---- the rest ---- */

/* The clients that ask for this start over by themselves, and find the other way then; one that
 * does not is moved at once, on the connection that we offer. */
static void switch_protocol(struct session *s, Livekit__CandidateProtocol protocol)
{
	static const enum way ways[] = {WAY_ANY, WAY_TCP, WAY_RELAY};
	struct signal_door *d = s->door;

	if (!d->config.tcp_fallback || (unsigned)protocol >= COUNT_OF(ways))
		return;
	ways_remember(&d->ways, s->join->room, s->join->identity, ways[protocol],
		loop_now_ms(d->loop));
	s->way = d->config.force_tcp ? WAY_TCP : ways[protocol];
	offer_restart(s);
}

/* The bandwidth of a subscriber chooses layers of video: voices have none. */
void simulate_request(struct session *s, const Livekit__SimulateScenario *m)
{
	switch (m->scenario_case) {
	case LIVEKIT__SIMULATE_SCENARIO__SCENARIO_SPEAKER_UPDATE:
		speak(s, m->speaker_update);
		break;
	case LIVEKIT__SIMULATE_SCENARIO__SCENARIO_SERVER_LEAVE:
		session_end(s, LIVEKIT__DISCONNECT_REASON__SERVER_SHUTDOWN);
		break;
	case LIVEKIT__SIMULATE_SCENARIO__SCENARIO_NODE_FAILURE:
		session_vanish(s, LIVEKIT__DISCONNECT_REASON__SERVER_SHUTDOWN);
		break;
	case LIVEKIT__SIMULATE_SCENARIO__SCENARIO_MIGRATION:
		session_vanish(s, LIVEKIT__DISCONNECT_REASON__MIGRATION);
		break;
	case LIVEKIT__SIMULATE_SCENARIO__SCENARIO_LEAVE_REQUEST_FULL_RECONNECT:
		session_start_over(s);
		break;
	case LIVEKIT__SIMULATE_SCENARIO__SCENARIO_SWITCH_CANDIDATE_PROTOCOL:
		switch_protocol(s, m->switch_candidate_protocol);
		break;
	case LIVEKIT__SIMULATE_SCENARIO__SCENARIO_DISCONNECT_SIGNAL_ON_RESUME:
		cut_next_resume(s, false);
		break;
	case LIVEKIT__SIMULATE_SCENARIO__SCENARIO_DISCONNECT_SIGNAL_ON_RESUME_NO_MESSAGES:
		cut_next_resume(s, true);
		break;
	default:
		break;
	}
}
