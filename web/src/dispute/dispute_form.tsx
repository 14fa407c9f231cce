import { useEffect, useId, useRef, useState, type FormEvent, type ReactNode } from 'react';
import { isoDay, phoneNumber } from '../shared/format.js';
import {
  check,
  FIELDS,
  REASONS,
  type Bank,
  type Dispute,
  type Draft,
  type Field,
  type Problems,
} from './dispute.js';

interface Props {
  /** Undefined until the configuration has arrived. */
  banks: readonly Bank[] | undefined;
  draft: Draft;
  busy: boolean;
  /** The person came back from a room: the focus starts at the title. */
  returned: boolean;
  onChange: (draft: Draft) => void;
  onSave: (dispute: Dispute) => void;
}

export function DisputeForm({ banks, draft, busy, returned, onChange, onSave }: Props) {
  const [problems, setProblems] = useState<Problems>({});
  const form = useRef<HTMLFormElement>(null);
  const title = useRef<HTMLHeadingElement>(null);
  const bank = banks?.find((b) => b.id === draft.bank);

  const set = (field: Field, value: string) => {
    onChange({ ...draft, [field]: value });
    setProblems(({ [field]: _mended, ...rest }) => rest);
  };

  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (busy || !banks) return;
    const checked = check(draft, banks, new Date());
    if ('dispute' in checked) return onSave(checked.dispute);
    setProblems(checked.problems);
    const first = FIELDS.find((f) => checked.problems[f]);
    if (first) form.current?.querySelector<HTMLElement>(`[name="${first}"]`)?.focus();
  };

  useEffect(() => {
    if (returned) title.current?.focus();
  }, [returned]);

  // One bank leaves nothing to choose.
  useEffect(() => {
    const only = banks?.length === 1 ? banks[0] : undefined;
    if (only && draft.bank === '') onChange({ ...draft, bank: only.id });
  }, [banks, draft, onChange]);

  return (
    <div className="form-view">
      <div className="intro">
        <h1 ref={title} tabIndex={-1}>
          Dispute a charge
        </h1>
        <p className="lede">
          Write down what happened, then call your bank from this page. Your notes stay beside you
          during the call.
        </p>
      </div>
      <form className="sheet" ref={form} onSubmit={submit} noValidate aria-busy={busy}>
        <Row label="Merchant" hint="As it appears on your statement" problem={problems.merchant}>
          {(aria) => (
            <input
              {...aria}
              name="merchant"
              data-testid="merchant"
              autoComplete="off"
              maxLength={100}
              value={draft.merchant}
              onChange={(e) => set('merchant', e.target.value)}
            />
          )}
        </Row>
        <div className="pair">
          <Row label="Amount" hint="In US dollars" problem={problems.amount}>
            {(aria) => (
              <input
                {...aria}
                name="amount"
                data-testid="amount"
                inputMode="decimal"
                autoComplete="off"
                placeholder="0.00"
                value={draft.amount}
                onChange={(e) => set('amount', e.target.value)}
              />
            )}
          </Row>
          <Row label="Date of the charge" hint="The day it posted" problem={problems.date}>
            {(aria) => (
              <input
                {...aria}
                type="date"
                name="date"
                data-testid="date"
                max={isoDay(new Date())}
                value={draft.date}
                onChange={(e) => set('date', e.target.value)}
              />
            )}
          </Row>
        </div>
        <Row label="What went wrong" problem={problems.reason}>
          {(aria) => (
            <select
              {...aria}
              name="reason"
              data-testid="reason"
              value={draft.reason}
              onChange={(e) => set('reason', e.target.value)}
            >
              <option value="">Choose one</option>
              {Object.entries(REASONS).map(([value, text]) => (
                <option key={value} value={value}>
                  {text}
                </option>
              ))}
            </select>
          )}
        </Row>
        <Row
          label="Bank"
          hint={bank ? `Ringdown will call ${phoneNumber(bank.phone_number)}` : undefined}
          problem={problems.bank}
        >
          {(aria) => (
            <select
              {...aria}
              name="bank"
              data-testid="bank"
              disabled={!banks}
              value={bank ? bank.id : ''}
              onChange={(e) => set('bank', e.target.value)}
            >
              <option value="">{banks ? 'Choose your bank' : 'Loading banks\u2026'}</option>
              {banks?.map((b) => (
                <option key={b.id} value={b.id}>
                  {b.name}
                </option>
              ))}
            </select>
          )}
        </Row>
        <div className="form-end">
          <button
            type="submit"
            className="button button-primary"
            data-testid="save"
            aria-disabled={busy || !banks}
          >
            {busy ? 'Opening the room\u2026' : 'Save dispute'}
          </button>
          <p className="hint">
            Next, your browser asks to use the microphone. Nobody is called until you press Call
            Bank.
          </p>
        </div>
      </form>
    </div>
  );
}

interface Aria {
  id: string;
  'aria-describedby'?: string;
  'aria-invalid'?: true;
  'aria-required': true;
}

interface RowProps {
  label: string;
  hint?: string | undefined;
  problem: string | undefined;
  children: (aria: Aria) => ReactNode;
}

/** A label, its field, and below it the problem or else the hint. */
function Row({ label, hint, problem, children }: RowProps) {
  const id = useId();
  const below = problem ?? hint;
  const aria: Aria = { id, 'aria-required': true };
  if (below !== undefined) aria['aria-describedby'] = `${id}-below`;
  if (problem !== undefined) aria['aria-invalid'] = true;
  return (
    <div className="row">
      <label htmlFor={id}>{label}</label>
      {children(aria)}
      {below !== undefined && (
        <p id={`${id}-below`} className={problem === undefined ? 'hint' : 'problem'}>
          {below}
        </p>
      )}
    </div>
  );
}
