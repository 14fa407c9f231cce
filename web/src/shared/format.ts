// How times, money, dates and phone numbers are written. Pure.

/** 0:07, 12:34, 1:02:03. */
export function duration(ms: number): string {
  const total = Math.max(0, Math.floor(ms / 1000));
  const seconds = String(total % 60).padStart(2, '0');
  const minutes = Math.floor(total / 60) % 60;
  const hours = Math.floor(total / 3600);
  return hours > 0
    ? `${hours}:${String(minutes).padStart(2, '0')}:${seconds}`
    : `${minutes}:${seconds}`;
}

/** "1 minute 5 seconds", for a screen reader. */
export function spokenDuration(ms: number): string {
  const total = Math.max(0, Math.floor(ms / 1000));
  const parts: string[] = [];
  const add = (n: number, word: string) => {
    if (n > 0) parts.push(`${n} ${word}${n === 1 ? '' : 's'}`);
  };
  add(Math.floor(total / 3600), 'hour');
  add(Math.floor(total / 60) % 60, 'minute');
  add(total % 60, 'second');
  return parts.join(' ') || '0 seconds';
}

/** What a person typed -> cents, or undefined. Takes "$1,234.50", "12", "0.99". */
export function parseCents(text: string): number | undefined {
  const m = /^\$?\s*(\d{1,3}(?:,\d{3})+|\d+)(?:\.(\d{1,2}))?$/.exec(text.trim());
  if (!m?.[1]) return undefined;
  const cents = Number(m[1].replaceAll(',', '')) * 100 + Number((m[2] ?? '').padEnd(2, '0'));
  return Number.isSafeInteger(cents) ? cents : undefined;
}

export function money(cents: number): string {
  const whole = String(Math.floor(cents / 100)).replace(/\B(?=(\d{3})+$)/g, ',');
  return `$${whole}.${String(cents % 100).padStart(2, '0')}`;
}

const MONTHS =
  'January February March April May June July August September October November December'.split(
    ' ',
  );

/** 2026-03-09 -> March 9, 2026. The text is a calendar day, so no time zone may touch it. */
export function longDate(iso: string): string {
  const m = /^(\d{4})-(\d{2})-(\d{2})$/.exec(iso);
  const month = m ? MONTHS[Number(m[2]) - 1] : undefined;
  return m && month ? `${month} ${Number(m[3])}, ${m[1]}` : iso;
}

/** +12025550100 -> +1 202 555 0100, never broken over lines; other numbers stay as they are. */
export function phoneNumber(number: string): string {
  const m = /^\+1(\d{3})(\d{3})(\d{4})$/.exec(number);
  return m ? `+1\u00a0${m[1]}\u00a0${m[2]}\u00a0${m[3]}` : number;
}

/** Today where the person is, as YYYY-MM-DD. */
export function isoDay(now: Date): string {
  const two = (n: number) => String(n).padStart(2, '0');
  return `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
}
