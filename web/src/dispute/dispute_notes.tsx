import { longDate, money, phoneNumber } from '../shared/format.js';
import { REASONS, type Bank, type Dispute } from './dispute.js';

/** The saved dispute, to read from during the call. */
export function DisputeNotes({ dispute, bank }: { dispute: Dispute; bank: Bank }) {
  return (
    <section className="sheet notes" aria-labelledby="notes-title">
      <h2 id="notes-title">Your dispute</h2>
      <p className="notes-amount">{money(dispute.cents)}</p>
      <dl>
        <Line term="Merchant" text={dispute.merchant} />
        <Line term="Date" text={longDate(dispute.date)} />
        <Line term="What went wrong" text={REASONS[dispute.reason]} />
        <Line term="Bank" text={bank.name} />
        <Line term="Phone" text={phoneNumber(bank.phone_number)} />
      </dl>
    </section>
  );
}

function Line({ term, text }: { term: string; text: string }) {
  return (
    <div>
      <dt>{term}</dt>
      <dd>{text}</dd>
    </div>
  );
}
