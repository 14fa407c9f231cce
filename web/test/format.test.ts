import assert from 'node:assert/strict';
import { webcrypto } from 'node:crypto';
import { test } from 'node:test';
import {
  duration,
  isoDay,
  longDate,
  money,
  parseCents,
  phoneNumber,
  spokenDuration,
} from '../src/shared/format.js';
import { randomName, uuid } from '../src/shared/random.js';

// Browsers and Node 20 have it as a global; Node 18 does not.
if (!('crypto' in globalThis)) Object.assign(globalThis, { crypto: webcrypto });

test('durations', () => {
  const cases: [number, string, string][] = [
    [-5, '0:00', '0 seconds'],
    [999, '0:00', '0 seconds'],
    [1000, '0:01', '1 second'],
    [65_400, '1:05', '1 minute 5 seconds'],
    [3_600_000, '1:00:00', '1 hour'],
    [3_723_000, '1:02:03', '1 hour 2 minutes 3 seconds'],
  ];
  for (const [ms, shown, spoken] of cases) {
    assert.equal(duration(ms), shown);
    assert.equal(spokenDuration(ms), spoken);
  }
});

test('amounts as people type them', () => {
  const cases: [string, number | undefined][] = [
    ['42', 4200],
    ['42.5', 4250],
    [' $1,234.56 ', 123456],
    ['0.01', 1],
    ['0', 0],
    ['', undefined],
    ['-5', undefined],
    ['1,23', undefined],
    ['1.234', undefined],
    ['12e3', undefined],
    ['99999999999999999', undefined],
  ];
  for (const [text, cents] of cases) assert.equal(parseCents(text), cents, text);
});

test('money', () => {
  assert.equal(money(1), '$0.01');
  assert.equal(money(4250), '$42.50');
  assert.equal(money(123456789), '$1,234,567.89');
});

test('dates and numbers', () => {
  assert.equal(longDate('2026-03-09'), 'March 9, 2026');
  assert.equal(longDate('2026-13-09'), '2026-13-09');
  assert.equal(isoDay(new Date(2026, 0, 5)), '2026-01-05');
  assert.equal(phoneNumber('+12025550100'), '+1\u00a0202\u00a0555\u00a00100');
  assert.equal(phoneNumber('+15550100'), '+15550100');
});

test('random names', () => {
  assert.match(randomName(8), /^[a-hjkmnp-z2-9]{8}$/);
  assert.notEqual(randomName(16), randomName(16));
  assert.match(uuid(), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});
