import assert from 'node:assert/strict';
import { test } from 'node:test';
import { attributesOf, check, draftFrom, EMPTY_DRAFT, type Draft } from '../src/dispute/dispute.js';

const BANK = { id: 'first', name: 'First Bank', phone_number: '+15550100' };
const NOW = new Date(2026, 5, 15);
const GOOD: Draft = {
  merchant: ' Corner Shop ',
  amount: '$42.50',
  date: '2026-06-15',
  reason: 'duplicate',
  bank: 'first',
};

test('a complete form becomes a dispute', () => {
  assert.deepEqual(check(GOOD, [BANK], NOW), {
    dispute: {
      merchant: 'Corner Shop',
      cents: 4250,
      date: '2026-06-15',
      reason: 'duplicate',
      bank: 'first',
    },
  });
});

test('each field says what it needs', () => {
  const cases: [Partial<Draft>, string[]][] = [
    [EMPTY_DRAFT, ['merchant', 'amount', 'date', 'reason', 'bank']],
    [{ merchant: 'x'.repeat(101) }, ['merchant']],
    [{ amount: '0' }, ['amount']],
    [{ date: '2026-06-16' }, ['date']],
    [{ reason: 'toString' }, ['reason']],
    [{ bank: 'second' }, ['bank']],
  ];
  for (const [over, fields] of cases) {
    const checked = check({ ...GOOD, ...over }, [BANK], NOW);
    assert.ok('problems' in checked);
    assert.deepEqual(Object.keys(checked.problems), fields);
    for (const sentence of Object.values(checked.problems)) assert.match(sentence, /^[A-Z].*\.$/);
  }
});

test('the room is told what the call is about', () => {
  const checked = check(GOOD, [BANK], NOW);
  assert.ok('dispute' in checked);
  assert.deepEqual(attributesOf(checked.dispute, BANK), {
    'dispute.merchant': 'Corner Shop',
    'dispute.amount': '$42.50',
    'dispute.date': '2026-06-15',
    'dispute.reason': 'I was charged twice',
    'dispute.bank': 'First Bank',
  });
});

test('a stored draft is taken with care', () => {
  for (const bad of [null, undefined, 7, 'x', [], { merchant: 3 }])
    assert.deepEqual(draftFrom(bad), EMPTY_DRAFT);
  assert.deepEqual(draftFrom({ ...GOOD, extra: 'x' }), GOOD);
});
