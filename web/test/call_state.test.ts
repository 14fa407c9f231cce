import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NO_CALL, isLive, step, type Call, type CallEvent } from '../src/call/call_state.js';

const run = (...events: CallEvent[]): Call => events.reduce(step, NO_CALL);

const seen = (status: string, more: Record<string, string> = {}, identity = 'sip_1', at = 1000) =>
  ({
    type: 'seen',
    at,
    phone: { identity, attributes: { 'sip.callStatus': status, 'sip.callID': 'c1', ...more } },
  }) as const;
const place = { type: 'place' } as const;
const placed = { type: 'placed', identity: 'sip_1', callId: 'c1' } as const;
const left = { type: 'left', identity: 'sip_1', at: 9000 } as const;

test('a call goes through its phases in order', () => {
  const walk: [CallEvent, Call['phase']][] = [
    [place, 'placing'],
    [placed, 'placing'],
    [seen('dialing'), 'dialing'],
    [seen('ringing'), 'ringing'],
    [seen('active', {}, 'sip_1', 5000), 'connected'],
    [seen('hangup', { 'ringdown.endedReason': 'The bank hung up.' }, 'sip_1', 8000), 'ended'],
    [left, 'ended'],
  ];
  let call = NO_CALL;
  for (const [event, phase] of walk) {
    call = step(call, event);
    assert.equal(call.phase, phase, event.type);
  }
  assert.equal(call.connectedAt, 5000);
  assert.equal(call.endedAt, 8000);
  assert.equal(call.endedReason, 'The bank hung up.');
});

test('the phone may come before the answer to the request', () => {
  const call = run(place, seen('ringing'), placed);
  assert.equal(call.phase, 'ringing');
  assert.equal(call.identity, 'sip_1');
});

test('a call never goes backwards', () => {
  const call = run(place, seen('active'), seen('ringing'));
  assert.equal(call.phase, 'connected');
  assert.equal(run(place, seen('active'), seen('automation')).connectedAt, 1000);
});

test('answered with digits still being sent counts as connected', () => {
  assert.equal(run(place, seen('automation')).phase, 'connected');
});

test('a phone without a status is being dialed', () => {
  const phone = { identity: 'sip_1', attributes: {} };
  assert.equal(run(place, { type: 'seen', phone, at: 1 }).phase, 'dialing');
});

test('a refused request ends the call with its sentence', () => {
  const failed = { type: 'failed', sentence: 'That number cannot be called.', at: 3 } as const;
  const call = run(place, failed);
  assert.equal(call.phase, 'ended');
  assert.equal(call.endedReason, 'That number cannot be called.');
  assert.equal(step(NO_CALL, failed), NO_CALL);
});

test('a sentence from the phone outlives a later failure of the request', () => {
  const call = run(
    place,
    seen('hangup', {
      'ringdown.endedReason': 'The line is busy.',
      'ringdown.sipStatusCode': '486',
    }),
    { type: 'failed', sentence: 'The call failed.', at: 4 },
  );
  assert.equal(call.endedReason, 'The line is busy.');
  assert.equal(call.statusCode, '486');
});

test('a phone that leaves without a word ends the call', () => {
  const call = run(place, seen('active'), left);
  assert.equal(call.phase, 'ended');
  assert.equal(call.endedAt, 9000);
  assert.equal(call.endedReason, undefined);
});

test('another participant leaving ends nothing', () => {
  assert.equal(run(place, seen('active'), { ...left, identity: 'sip_2' }).phase, 'connected');
});

test('another phone in the room is not this call', () => {
  const call = run(place, placed, seen('active', {}, 'sip_2'));
  assert.equal(call.phase, 'placing');
  assert.equal(call.identity, 'sip_1');
});

test('hanging up waits for the phone to go, and can fail', () => {
  const asked = run(place, seen('active'), { type: 'hang-up' });
  assert.equal(asked.hangingUp, true);
  assert.equal(isLive(asked), true);
  assert.equal(step(asked, { type: 'hang-up-failed' }).hangingUp, false);
  assert.equal(step(asked, left).phase, 'ended');
  assert.equal(step(asked, { type: 'hung-up', at: 5 }).endedAt, 5);
  assert.equal(step(NO_CALL, { type: 'hang-up' }), NO_CALL);
});

test('a call that ended can be placed again, and the old phone does not come back', () => {
  const again = run(place, seen('active'), left, place);
  assert.deepEqual(again, {
    phase: 'placing',
    hangingUp: false,
    previous: { identity: 'sip_1', callId: 'c1' },
  });
  assert.equal(step(again, seen('hangup')).phase, 'placing');
  assert.equal(step(again, seen('dialing', { 'sip.callID': 'c2' })).phase, 'dialing');
  assert.equal(step(again, seen('dialing', {}, 'sip_2')).phase, 'dialing');
});

test('placing twice places once', () => {
  const call = run(place, seen('ringing'));
  assert.equal(step(call, place), call);
});

test('a sentence that arrives after the end is still taken', () => {
  const call = run(
    place,
    seen('active'),
    left,
    seen('hangup', { 'ringdown.endedReason': 'Late.' }),
  );
  assert.equal(call.endedReason, 'Late.');
  assert.equal(call.endedAt, 9000);
});

test('a live phone in a quiet room is adopted, one on its way out is not', () => {
  assert.equal(run(seen('active')).phase, 'connected');
  assert.equal(run(seen('hangup')).phase, 'idle');
  assert.equal(run(place, seen('active'), left, seen('active')).phase, 'ended');
  const next = run(place, seen('active'), left, seen('ringing', { 'sip.callID': 'c2' }));
  assert.equal(next.phase, 'ringing');
  assert.equal(next.connectedAt, undefined);
});
