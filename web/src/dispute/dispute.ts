// A disputed charge: its fields, what makes it complete, and how the room is told about it. Pure.
import { isoDay, money, parseCents } from '../shared/format.js';

export const REASONS = {
  unrecognized: 'I did not make this charge',
  duplicate: 'I was charged twice',
  amount: 'The amount is wrong',
  'not-received': 'It never arrived',
  'not-as-described': 'It was not as described',
  'no-refund': 'My refund is missing',
  other: 'Something else',
} as const;

export type Reason = keyof typeof REASONS;

/** The form as typed. */
export interface Draft {
  merchant: string;
  amount: string;
  date: string;
  reason: string;
  bank: string;
}

export interface Dispute {
  merchant: string;
  cents: number;
  date: string;
  reason: Reason;
  /** Id of a configured bank. */
  bank: string;
}

export interface Bank {
  id: string;
  name: string;
  phone_number: string;
}

export const FIELDS = ['merchant', 'amount', 'date', 'reason', 'bank'] as const;
export type Field = (typeof FIELDS)[number];
export type Problems = Partial<Record<Field, string>>;

export const EMPTY_DRAFT: Draft = { merchant: '', amount: '', date: '', reason: '', bank: '' };

const MERCHANT_MAX = 100;

/** Either the dispute, or one sentence for each field that needs another look. */
export function check(
  draft: Draft,
  banks: readonly Bank[],
  now: Date,
): { dispute: Dispute } | { problems: Problems } {
  const problems: Problems = {};
  const merchant = draft.merchant.trim();
  const cents = parseCents(draft.amount);

  if (merchant === '') problems.merchant = 'Enter the merchant as it appears on your statement.';
  else if (merchant.length > MERCHANT_MAX)
    problems.merchant = `Use ${MERCHANT_MAX} characters or fewer.`;
  if (cents === undefined || cents === 0)
    problems.amount = 'Enter the amount in dollars, such as 42.50.';
  if (!/^\d{4}-\d{2}-\d{2}$/.test(draft.date)) problems.date = 'Enter the date of the charge.';
  else if (draft.date > isoDay(now)) problems.date = 'The date cannot be in the future.';
  if (!isReason(draft.reason)) problems.reason = 'Choose what went wrong.';
  if (!banks.some((b) => b.id === draft.bank)) problems.bank = 'Choose the bank to call.';

  if (Object.keys(problems).length > 0 || cents === undefined || !isReason(draft.reason))
    return { problems };
  const { date, reason, bank } = draft;
  return { dispute: { merchant, cents, date, reason, bank } };
}

function isReason(text: string): text is Reason {
  return Object.hasOwn(REASONS, text);
}

/** Participant attributes, so that an agent in the room knows what the call is about. */
export function attributesOf(dispute: Dispute, bank: Bank): Record<string, string> {
  return {
    'dispute.merchant': dispute.merchant,
    'dispute.amount': money(dispute.cents),
    'dispute.date': dispute.date,
    'dispute.reason': REASONS[dispute.reason],
    'dispute.bank': bank.name,
  };
}

/** A stored draft is text that any script of this origin could have written: take only strings. */
export function draftFrom(stored: unknown): Draft {
  const draft = { ...EMPTY_DRAFT };
  if (typeof stored !== 'object' || stored === null) return draft;
  for (const field of FIELDS) {
    const value: unknown = (stored as Record<string, unknown>)[field];
    if (typeof value === 'string') draft[field] = value;
  }
  return draft;
}
