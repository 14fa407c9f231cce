import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keyOf, KEYS } from '../src/call/digits.js';

test('twelve keys in telephone order', () => {
  assert.equal(KEYS.map((k) => k.digit).join(''), '123456789*0#');
});

test('codes of RFC 4733', () => {
  for (let n = 0; n <= 9; n++) assert.equal(keyOf(String(n))?.code, n);
  assert.equal(keyOf('*')?.code, 10);
  assert.equal(keyOf('#')?.code, 11);
  for (const other of ['a', 'Enter', '', '12', ' ']) assert.equal(keyOf(other), undefined);
});

test('letters and hooks', () => {
  assert.equal(keyOf('7')?.letters, 'PQRS');
  assert.equal(keyOf('0')?.letters, '');
  assert.equal(keyOf('*')?.testId, 'key-star');
  assert.equal(keyOf('#')?.testId, 'key-hash');
  assert.equal(keyOf('5')?.testId, 'key-5');
});
