import type { ReactNode } from 'react';

interface Props {
  tone: 'problem' | 'hint';
  children: ReactNode;
  action?: { label: string; run: () => void };
}

/** A sentence about something that needs attention, with at most one thing to do about it. */
export function Notice({ tone, children, action }: Props) {
  return (
    <div className="notice" data-tone={tone} role={tone === 'problem' ? 'alert' : 'status'}>
      <p>{children}</p>
      {action && (
        <button type="button" className="button button-quiet" onClick={action.run}>
          {action.label}
        </button>
      )}
    </div>
  );
}
