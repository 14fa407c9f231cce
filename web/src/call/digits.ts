// Keypad keys and their DTMF event codes (RFC 4733 section 3.2). Pure.

export interface Key {
  digit: string;
  /** 0-9, star = 10, hash = 11. */
  code: number;
  letters: string;
  /** How a screen reader says it. */
  spoken: string;
  testId: string;
}

const LETTERS = ['', '', 'ABC', 'DEF', 'GHI', 'JKL', 'MNO', 'PQRS', 'TUV', 'WXYZ'];

function key(digit: string): Key {
  if (digit === '*') return { digit, code: 10, letters: '', spoken: 'star', testId: 'key-star' };
  if (digit === '#') return { digit, code: 11, letters: '', spoken: 'hash', testId: 'key-hash' };
  const code = Number(digit);
  return { digit, code, letters: LETTERS[code] ?? '', spoken: digit, testId: `key-${digit}` };
}

/** In the order of a telephone, row by row. */
export const KEYS: readonly Key[] = [...'123456789*0#'].map(key);

const BY_DIGIT = new Map(KEYS.map((k) => [k.digit, k]));

/** The key for KeyboardEvent.key, or undefined when it is not a telephone key. */
export function keyOf(pressed: string): Key | undefined {
  return BY_DIGIT.get(pressed);
}
