import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CallRecord } from '../src/backend/backend.js';
import { detailsOf } from '../src/call/details.js';

const busy: CallRecord = {
  id: 'SCL_1',
  trunk: { id: 'ST_1', name: 'bank', address: 'sip.example' },
  times: { asked: 1000, first_response: 1040, ringing: 1100, ended: 3500 },
  ending: {
    code: 'busy',
    message: 'The line is busy.',
    ended_by: 'far_end',
    retry: 'later',
    retry_after: 60,
    sip_status: 486,
    sip_reason: 'Busy Here',
    q850: 17,
  },
};

test('what is known of a call becomes lines, what is not has none', () => {
  assert.deepEqual(detailsOf(busy), [
    ['Call', 'SCL_1'],
    ['Trunk', 'bank, sip.example'],
    ['Ended by', 'the other side'],
    ['Code', 'busy'],
    ['SIP answer', '486, Busy Here'],
    ['Q.850 cause', '17'],
    ['Call again', 'in 60 s'],
    ['First response', 'after 0.04 s'],
    ['Ringing', 'after 0.10 s'],
    ['Ended', 'after 2.50 s'],
  ]);
  assert.deepEqual(detailsOf({ id: 'SCL_2', times: {} }), [['Call', 'SCL_2']]);
});

test('whether to call again is said in words', () => {
  const again = (retry: 'no' | 'when_fixed' | 'later') =>
    detailsOf({ ...busy, ending: { code: 'x', message: 'x', ended_by: 'us', retry } }).find(
      ([name]) => name === 'Call again',
    )?.[1];
  assert.equal(again('no'), 'not worth it');
  assert.equal(again('when_fixed'), 'once that is set right');
  assert.equal(again('later'), 'later');
});
