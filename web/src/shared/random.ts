// Random names. crypto.randomUUID exists only in secure contexts; getRandomValues everywhere.

const ALPHABET = 'abcdefghjkmnpqrstuvwxyz23456789';

/** `length` characters that are easy to read aloud (no i, l, o, 0, 1). */
export function randomName(length: number): string {
  let name = '';
  while (name.length < length) {
    for (const byte of crypto.getRandomValues(new Uint8Array(length * 2))) {
      // 248 = 8 * 31: above it the alphabet's start would come up too often.
      if (byte < 248 && name.length < length) name += ALPHABET[byte % ALPHABET.length];
    }
  }
  return name;
}

/** UUID version 4 (RFC 9562 section 5.4). */
export function uuid(): string {
  const b = crypto.getRandomValues(new Uint8Array(16));
  b[6] = (b[6]! & 0x0f) | 0x40;
  b[8] = (b[8]! & 0x3f) | 0x80;
  const hex = [...b].map((x) => x.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
