import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NO_CALL, type Call } from '../src/call/call_state.js';
import { announcement, endedSentence, stateLabel } from '../src/call/sentences.js';
import { disconnectSentence, microphoneSentence } from '../src/room/trouble.js';

const call = (over: Partial<Call>): Call => ({ ...NO_CALL, ...over });

test('why a call ended, best source first', () => {
  const cases: [Partial<Call>, string][] = [
    [{ endedReason: 'From the server.', statusCode: '486', hangingUp: true }, 'From the server.'],
    [{ statusCode: '486', hangingUp: true }, 'The bank\u2019s line is busy.'],
    [{ statusCode: '299', hangingUp: true }, 'You hung up.'],
    [{ connectedAt: 1 }, 'The call ended.'],
    [{}, 'The call ended before anyone answered.'],
  ];
  for (const [over, sentence] of cases)
    assert.equal(endedSentence(call({ phase: 'ended', ...over })), sentence);
});

test('every phase has a label and, but for idle, something to say', () => {
  for (const phase of ['placing', 'dialing', 'ringing', 'connected', 'ended'] as const) {
    assert.notEqual(stateLabel(call({ phase })), '');
    assert.match(announcement(call({ phase }), 'First Bank'), /\.$/);
  }
  assert.equal(announcement(NO_CALL, 'First Bank'), '');
  assert.equal(
    announcement(call({ phase: 'placing' }), 'First Bank'),
    announcement(call({ phase: 'dialing' }), 'First Bank'),
  );
  assert.equal(stateLabel(call({ phase: 'ringing', hangingUp: true })), 'Hanging up\u2026');
  assert.equal(stateLabel(call({ phase: 'ended', hangingUp: true })), 'Call ended');
});

test('trouble is told in whole sentences', () => {
  for (const name of ['NotAllowedError', 'NotFoundError', 'NotReadableError', 'Whatever'])
    assert.match(microphoneSentence(name, true), /^[A-Z].*\.$/);
  assert.match(microphoneSentence('NotAllowedError', false), /https/);
  for (const reason of [undefined, 1, 2, 3, 4, 5, 10, 99])
    assert.match(disconnectSentence(reason), /^[A-Z].*\.$/);
});
