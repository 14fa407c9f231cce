/* The four machines with a clock of our own: 32 seconds of silence take no time. */
#include "sip/transaction.h"
#include "test/check.h"

static const struct sip_timers rfc = {0};

/* What happens in silence: the times of every sending, and of the end. */
static size_t run(struct sip_transaction *t, uint64_t *sent, size_t max, uint64_t *ended, unsigned *last)
{
	size_t count = 0;

	for (;;) {
		uint64_t at = sip_transaction_deadline(t);
		if (at == UINT64_MAX)
			return count;
		unsigned what = sip_transaction_tick(t, at);
		if (what & SIP_DO_SEND) {
			CHECK(count < max);
			sent[count++] = at;
		}
		if (what & SIP_DO_END) {
			*ended = at;
			*last = what;
			return count;
		}
	}
}

static void check_silence(enum sip_transaction_kind kind, bool reliable, const uint64_t *want, size_t count)
{
	struct sip_transaction t;
	uint64_t sent[32], ended = 0;
	unsigned last = 0;

	sip_transaction_start(&t, kind, &rfc, reliable, 1000);
	CHECK_EQ(run(&t, sent, COUNT_OF(sent), &ended, &last), count);
	for (size_t i = 0; i < count; ++i)
		CHECK_EQ(sent[i], 1000 + want[i]);
	CHECK_EQ(ended, 33000);
	CHECK_EQ(last, SIP_DO_TIMEOUT | SIP_DO_END);
	CHECK_EQ(t.state, SIP_TX_DONE);
	CHECK_EQ(sip_transaction_tick(&t, 99999), 0);
}

static void silence(void)
{
	static const uint64_t a[] = {500, 1500, 3500, 7500, 15500, 31500};
	static const uint64_t e[] = {500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500};

	check_silence(SIP_CLIENT_INVITE, false, a, COUNT_OF(a));
	check_silence(SIP_CLIENT_OTHER, false, e, COUNT_OF(e));
	check_silence(SIP_CLIENT_INVITE, true, NULL, 0);
	check_silence(SIP_CLIENT_OTHER, true, NULL, 0);
}

static void client_invite(void)
{
	struct sip_transaction t;

	/* Ringing has no end; a refusal is acknowledged, and again whenever it comes again. */
	sip_transaction_start(&t, SIP_CLIENT_INVITE, &rfc, false, 0);
	CHECK_EQ(sip_transaction_response(&t, 180, 100), SIP_DO_PASS);
	CHECK(sip_transaction_deadline(&t) == UINT64_MAX);
	CHECK_EQ(sip_transaction_response(&t, 183, 90000), SIP_DO_PASS);
	CHECK_EQ(sip_transaction_response(&t, 486, 100000), SIP_DO_ACK | SIP_DO_PASS);
	CHECK_EQ(t.state, SIP_TX_COMPLETED);
	CHECK_EQ(sip_transaction_response(&t, 486, 100500), SIP_DO_ACK);
	CHECK_EQ(sip_transaction_response(&t, 180, 100501), 0);
	CHECK_EQ(sip_transaction_deadline(&t), 132000); /* D */
	CHECK_EQ(sip_transaction_tick(&t, 131999), 0);
	CHECK_EQ(sip_transaction_tick(&t, 132000), SIP_DO_END);

	/* RFC 6026: every 2xx of timer M is passed up, nothing else. */
	for (int reliable = 0; reliable < 2; ++reliable) {
		sip_transaction_start(&t, SIP_CLIENT_INVITE, &rfc, reliable, 0);
		CHECK_EQ(sip_transaction_response(&t, 200, 10), SIP_DO_PASS);
		CHECK_EQ(sip_transaction_response(&t, 200, 20), SIP_DO_PASS);
		CHECK_EQ(sip_transaction_response(&t, 404, 30), 0);
		CHECK_EQ(sip_transaction_response(&t, 180, 30), 0);
		CHECK_EQ(sip_transaction_tick(&t, 32010), SIP_DO_END);
		CHECK_EQ(sip_transaction_response(&t, 200, 32011), 0);
	}

	/* On TCP nothing lingers after a refusal. */
	sip_transaction_start(&t, SIP_CLIENT_INVITE, &rfc, true, 0);
	CHECK_EQ(sip_transaction_response(&t, 407, 1), SIP_DO_ACK | SIP_DO_PASS | SIP_DO_END);

	sip_transaction_start(&t, SIP_CLIENT_INVITE, &rfc, false, 0);
	CHECK_EQ(sip_transaction_broken(&t), SIP_DO_FAILED | SIP_DO_END);
	sip_transaction_start(&t, SIP_CLIENT_INVITE, &rfc, true, 0);
	CHECK_EQ(sip_transaction_response(&t, 180, 1), SIP_DO_PASS);
	CHECK_EQ(sip_transaction_broken(&t), 0);

	/* Given up: silent, but it hears; and ringing ends too. */
	sip_transaction_start(&t, SIP_CLIENT_INVITE, &rfc, false, 0);
	sip_transaction_hush(&t, 600);
	CHECK_EQ(sip_transaction_deadline(&t), 32000);
	CHECK_EQ(sip_transaction_response(&t, 180, 1000), SIP_DO_PASS);
	CHECK_EQ(sip_transaction_deadline(&t), 32000);
	CHECK_EQ(sip_transaction_tick(&t, 32000), SIP_DO_TIMEOUT | SIP_DO_END);
	sip_transaction_start(&t, SIP_CLIENT_INVITE, &rfc, false, 0);
	CHECK_EQ(sip_transaction_response(&t, 180, 1000), SIP_DO_PASS);
	sip_transaction_hush(&t, 5000);
	CHECK_EQ(sip_transaction_deadline(&t), 37000);
}

static void client_other(void)
{
	struct sip_transaction t;

	sip_transaction_start(&t, SIP_CLIENT_OTHER, &rfc, false, 0);
	CHECK_EQ(sip_transaction_response(&t, 100, 200), SIP_DO_PASS);
	CHECK_EQ(sip_transaction_deadline(&t), 4200); /* E is T2 from now on */
	CHECK_EQ(sip_transaction_tick(&t, 4200), SIP_DO_SEND);
	CHECK_EQ(sip_transaction_deadline(&t), 8200);
	CHECK_EQ(sip_transaction_response(&t, 200, 8000), SIP_DO_PASS);
	CHECK_EQ(sip_transaction_response(&t, 200, 8100), 0);
	CHECK_EQ(sip_transaction_deadline(&t), 13000); /* K */
	CHECK_EQ(sip_transaction_tick(&t, 13000), SIP_DO_END);

	sip_transaction_start(&t, SIP_CLIENT_OTHER, &rfc, true, 0);
	CHECK_EQ(sip_transaction_response(&t, 481, 5), SIP_DO_PASS | SIP_DO_END);
	sip_transaction_start(&t, SIP_CLIENT_OTHER, &rfc, true, 0);
	CHECK_EQ(sip_transaction_response(&t, 100, 5), SIP_DO_PASS);
	CHECK_EQ(sip_transaction_broken(&t), SIP_DO_FAILED | SIP_DO_END);
}

static void server_invite(void)
{
	static const uint64_t g[] = {500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500};
	struct sip_transaction t;
	uint64_t sent[32], ended;
	unsigned last;

	sip_transaction_start(&t, SIP_SERVER_INVITE, &rfc, false, 0);
	CHECK(sip_transaction_deadline(&t) == UINT64_MAX);
	CHECK_EQ(sip_transaction_respond(&t, 180, 10), SIP_DO_SEND);
	CHECK_EQ(sip_transaction_repeated(&t, 20), SIP_DO_SEND);
	CHECK_EQ(sip_transaction_respond(&t, 486, 1000), SIP_DO_SEND);
	CHECK_EQ(sip_transaction_respond(&t, 200, 1001), 0);
	CHECK_EQ(sip_transaction_repeated(&t, 1100), SIP_DO_SEND);
	struct sip_transaction acked = t;
	CHECK_EQ(run(&t, sent, COUNT_OF(sent), &ended, &last), COUNT_OF(g));
	for (size_t i = 0; i < COUNT_OF(g); ++i)
		CHECK_EQ(sent[i], 1000 + g[i]);
	CHECK_EQ(ended, 33000); /* H */
	CHECK_EQ(last, SIP_DO_TIMEOUT | SIP_DO_END);

	CHECK_EQ(sip_transaction_ack(&acked, 2000), SIP_DO_PASS);
	CHECK_EQ(sip_transaction_ack(&acked, 2001), 0);
	CHECK_EQ(sip_transaction_repeated(&acked, 2002), 0);
	CHECK_EQ(sip_transaction_tick(&acked, 7000), SIP_DO_END); /* I */

	/* RFC 6026: after a 2xx the INVITE's repetitions are swallowed for timer L. */
	sip_transaction_start(&t, SIP_SERVER_INVITE, &rfc, false, 0);
	CHECK_EQ(sip_transaction_respond(&t, 200, 10), SIP_DO_SEND);
	CHECK_EQ(sip_transaction_repeated(&t, 20), 0);
	CHECK_EQ(sip_transaction_respond(&t, 200, 30), SIP_DO_SEND);
	CHECK_EQ(sip_transaction_ack(&t, 40), SIP_DO_PASS);
	CHECK_EQ(sip_transaction_tick(&t, 32010), SIP_DO_END);

	sip_transaction_start(&t, SIP_SERVER_INVITE, &rfc, true, 0);
	CHECK_EQ(sip_transaction_respond(&t, 600, 10), SIP_DO_SEND);
	CHECK_EQ(sip_transaction_deadline(&t), 32010);
	CHECK_EQ(sip_transaction_ack(&t, 40), SIP_DO_PASS | SIP_DO_END);
}

static void server_other(void)
{
	struct sip_transaction t;

	sip_transaction_start(&t, SIP_SERVER_OTHER, &rfc, false, 0);
	CHECK_EQ(sip_transaction_repeated(&t, 1), 0);
	CHECK_EQ(sip_transaction_respond(&t, 100, 2), SIP_DO_SEND);
	CHECK_EQ(sip_transaction_repeated(&t, 3), SIP_DO_SEND);
	CHECK_EQ(sip_transaction_respond(&t, 200, 10), SIP_DO_SEND);
	CHECK_EQ(sip_transaction_respond(&t, 200, 11), 0);
	CHECK_EQ(sip_transaction_repeated(&t, 3000), SIP_DO_SEND);
	CHECK_EQ(sip_transaction_tick(&t, 32009), 0);
	CHECK_EQ(sip_transaction_tick(&t, 32010), SIP_DO_END); /* J */

	sip_transaction_start(&t, SIP_SERVER_OTHER, &rfc, true, 0);
	CHECK_EQ(sip_transaction_respond(&t, 200, 10), SIP_DO_SEND | SIP_DO_END);
}

int main(void)
{
	silence();
	client_invite();
	client_other();
	server_invite();
	server_other();
	return 0;
}
