/* test/unit/fake_calls.h - call/call.h without SIP, media and rooms: a call is made, and the test says
 * how it ends.
 *
 * Owner:   the test. Owns: every fake call. Thread: the test's.
 */
#pragma once

#include "call/call.h"

struct calls *fake_calls_new(struct loop *l);
void fake_calls_free(struct calls *cs);
/* The next calls_dial() answers this outcome; 0 = dial. */
void fake_calls_refuse(struct calls *cs, int outcome, const char *why);
/* The newest call; what was asked for is in it. */
struct call *fake_calls_last(struct calls *cs);
size_t fake_calls_dialled(const struct calls *cs); /* ever */
const char *fake_call_asked(const struct call *c);
/* "number|shown|address|params|caller|from host|display|transport" */
const char *fake_call_addresses(const struct call *c);  /* "room|number|trunk|from|identity|name|dtmf|ringing|attributes" */
bool fake_call_hung_up(const struct call *c);
void fake_call_answer(struct call *c);
void fake_call_fail(struct call *c, int sip_status, const char *reason);
