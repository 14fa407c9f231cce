/* trunk/policy_transfer.c - what the policy says to a transfer. */
#include "trunk/policy_rules.h"

#include "trunk/target.h"

#include <stdio.h>

typedef bool rule(struct policy_finding *f, struct question *q);

static void ask(struct policy_verdict *ret, const struct question *q, const char *number, rule *const *rules, size_t count)
{
	struct policy_request request = *q->request;
	struct policy_verdict own;
	struct question reading;
	bool more = true;

	request.number = number;
	policy_question(&reading, q->p, &request, &own, q->now_ms);
	for (size_t i = 0; more && i < count; ++i) {
		struct policy_finding f = {0};
		more = rules[i](&f, &reading);
		policy_weigh(ret, &f);
	}
	snprintf(ret->number, sizeof ret->number, "%s", own.number);
}

/* None of them may be what nobody calls; what it stands for must be a number that may be called. */
static void ask_readings(struct policy_verdict *ret, const struct question *q, const struct target *t)
{
	static rule *const never[] = {policy_ask_services, policy_ask_blocked};
	static rule *const may[] = {policy_ask_number, policy_ask_country};

	for (size_t i = 0; i < t->count; ++i)
		ask(ret, q, t->readings[i], never, COUNT_OF(never));
	ask(ret, q, t->readings[0], may, COUNT_OF(may));
}

static void ask_name(struct policy_finding *f, const char *user)
{
	const char *what = country_is_help(user)	  ? "an emergency number"
			   : country_is_directory(user) ? "a directory service at premium rates"
							  : NULL;
	if (what)
		policy_says(f, POLICY_BLOCKED, "%s is %s. Nobody is transferred there from here.", user, what);
}

static void ask_whom(struct policy_verdict *ret, const struct question *q, const struct target *t)
{
	struct policy_finding f = {0};

	switch (t->kind) {
	case TARGET_NAME:
		ask_name(&f, t->user);
		break;
	case TARGET_NUMBER:
		ask_readings(ret, q, t);
		break;
	case TARGET_E_NUMBER:
		policy_says(&f, POLICY_NOT_E164, "Which number \"%.60s\" leads to is not known. Write it as + and country code, then the "
			"number, without parameters: tel:+14155550123.", q->request->number);
		break;
	case TARGET_E_URI:
		policy_says(&f, POLICY_NOT_E164, "\"%.60s\" is no SIP or tel URI that can be transferred to. Expected is one such as "
			"tel:+14155550123 or sip:bob@example.com.", q->request->number);
		break;
	}
	policy_weigh(ret, &f);
}

void policy_check_transfer(struct policy_verdict *ret, struct policy *p, const struct policy_request *request,
	uint64_t now_ms)
{
	struct question q;
	struct target t;
	struct policy_finding minutes = {0}, rate = {0};
	const char *own[OWN_PREFIXES_MAX];

	policy_question(&q, p, request, ret, now_ms);
	target_read(&t, request->number, own, policy_own_countries(own, &q));
	snprintf(ret->number, sizeof ret->number, "%.32s", t.user);
	ask_whom(ret, &q, &t);
	(void)policy_ask_minutes(&minutes, &q);
	policy_weigh(ret, &minutes);
	(void)policy_ask_rate(&rate, &q);
	policy_weigh(ret, &rate);
	if (ret->outcome != POLICY_RATE)
		ret->retry_after_ms = 0;
}

void policy_transfer(struct policy *p, const Livekit__SIPOutboundTrunkInfo *trunk)
{
	rates_take(&p->rates, policy_trunk_name(trunk));
}
