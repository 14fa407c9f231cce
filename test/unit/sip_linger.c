/* What is left of an ended call (RFC 6026: 64 T1 for an answered INVITE) is no call: it takes no place
 * of LIMIT_CALLS, and gives way when there is too much of it. The numbers of others are pretended. */
#include "sip_far.h"

#include "base/limits.h"
#include "sip/core.h"

static void an_ended_call_takes_no_place(void)
{
	struct world w;
	struct got invite;
	struct sip_call *another = NULL;

	world_open(&w);
	struct sip_invite_config config = plain(&w);
	w.agent->usage_count += LIMIT_CALLS - 1;
	establish(&w, &invite);
	CHECK_EQ(sip_invite(&another, w.agent, &config, &far_events, &w), -EMFILE);
	hang_up(&w);
	CHECK_EQ(w.agent->lingering_count, 1);
	CHECK_EQ(sip_invite(&another, w.agent, &config, &far_events, &w), 0);
	w.agent->usage_count -= LIMIT_CALLS - 1;
	CHECK_EQ(sip_agent_calls(w.agent), 2);
	sip_call_hangup(another, NULL);
	UNTIL(&w, sip_agent_calls(w.agent) == 0);
	world_close(&w);
}

static void the_oldest_gives_way(void)
{
	struct world w;
	struct got first, second, third, answer;

	world_open(&w);
	establish(&w, &first);
	hang_up(&w);
	w.answered = w.ended = 0;
	establish(&w, &second);
	hang_up(&w);
	CHECK_EQ(w.agent->lingering_count, 2);
	w.agent->lingering_count += LIMIT_SIP_LINGERING - 1;
	w.answered = w.ended = 0;
	establish(&w, &third);
	w.agent->lingering_count -= LIMIT_SIP_LINGERING - 1;
	CHECK_EQ(w.agent->lingering_count, 1);

	/* The second still knows its dialog, the first is gone. */
	reply(&w, &second, 200, "far1", contact(&w), "v=0 far");
	expect(&w, &answer, SIP_ACK);
	CHECK(answer.m.call_id.size == second.m.call_id.size &&
	      !memcmp(answer.m.call_id.data, second.m.call_id.data, second.m.call_id.size));
	reply(&w, &first, 200, "far1", contact(&w), "v=0 far");
	expect_none(&w, SIP_ACK);
	hang_up(&w);
	UNTIL(&w, sip_agent_calls(w.agent) == 0);
	world_close(&w);
}

/* Where all transactions are taken, those that only wait for repetitions give way, ours and theirs. */
static void transactions_give_way(void)
{
	struct world w;
	struct got first, second, answer;

	world_open(&w);
	establish(&w, &first);
	hang_up(&w);
	w.agent->lingering_count += LIMIT_SIP_LINGERING;
	CHECK(sip_usage_room(w.agent)); /* its INVITE and its BYE go on alone */
	w.agent->lingering_count -= LIMIT_SIP_LINGERING;
	CHECK_EQ(w.agent->clients.count, 2);
	w.answered = w.ended = 0;
	w.agent->clients.count += LIMIT_SIP_TRANSACTIONS - 2;
	establish(&w, &second);
	CHECK_EQ(w.agent->clients.count, LIMIT_SIP_TRANSACTIONS);
	w.agent->clients.count -= LIMIT_SIP_TRANSACTIONS - 2;

	far_request(&w, &second, "far1", "OPTIONS", 30, NULL, NULL);
	expect_status(&w, &answer, 200);
	CHECK_EQ(w.agent->servers.count, 1);
	w.agent->servers.count += LIMIT_SIP_TRANSACTIONS - 1;
	far_request(&w, &second, "far1", "BYE", 31, NULL, NULL);
	UNTIL(&w, w.ended == 1);
	expect_status(&w, &answer, 200);
	CHECK_EQ(w.agent->servers.count, LIMIT_SIP_TRANSACTIONS);
	w.agent->servers.count -= LIMIT_SIP_TRANSACTIONS - 1;
	UNTIL(&w, sip_agent_calls(w.agent) == 0);
	world_close(&w);
}

static void the_agent_takes_it_along(void)
{
	struct world w;
	struct got invite;

	world_open(&w);
	establish(&w, &invite);
	hang_up(&w);
	CHECK_EQ(w.agent->lingering_count, 1);
	world_close(&w);
	CHECK_EQ(mem_live(), 0);
}

int main(void)
{
	static void (*const tests[])(void) = {
		an_ended_call_takes_no_place,
		the_oldest_gives_way,
		transactions_give_way,
		the_agent_takes_it_along,
	};
	at_once(tests, COUNT_OF(tests));
	return 0;
}
