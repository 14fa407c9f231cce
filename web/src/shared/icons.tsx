// The few pictures the page needs. All of them sit beside words, so all are hidden from readers.
import type { ReactNode } from 'react';

function Icon({ children }: { children: ReactNode }) {
  return (
    <svg className="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      {children}
    </svg>
  );
}

const HANDSET =
  'M6.6 3.5 9.3 3l1.9 4.6-2 1.7a13 13 0 0 0 5.5 5.5l1.7-2 4.6 1.9-.5 2.7a2.6 2.6 0 0 1-2.7 2.1' +
  'A15.3 15.3 0 0 1 4.5 6.2 2.6 2.6 0 0 1 6.6 3.5Z';

export function PhoneIcon() {
  return (
    <Icon>
      <path d={HANDSET} />
    </Icon>
  );
}

export function HangUpIcon() {
  return (
    <Icon>
      <g transform="rotate(135 12 12)">
        <path d={HANDSET} />
      </g>
    </Icon>
  );
}

export function MicrophoneIcon({ off }: { off: boolean }) {
  return (
    <Icon>
      <rect x="9" y="3" width="6" height="11" rx="3" />
      <path d="M5.5 11.5a6.5 6.5 0 0 0 13 0M12 18v3" />
      {off && <path d="M4 4l16 16" className="icon-strike" />}
    </Icon>
  );
}

export function KeypadIcon() {
  const at = [6, 12, 18];
  return (
    <Icon>
      {at.flatMap((y) =>
        at.map((x) => <circle key={`${x}-${y}`} cx={x} cy={y} r="1.4" className="icon-solid" />),
      )}
    </Icon>
  );
}

export function PersonIcon() {
  return (
    <Icon>
      <circle cx="12" cy="8.5" r="3.7" />
      <path d="M4.8 20a7.2 7.2 0 0 1 14.4 0" />
    </Icon>
  );
}

export function BankIcon() {
  return (
    <Icon>
      <path d="M3.5 9.5 12 4.5l8.5 5M5 20h14M6.5 10v7M10.2 10v7M13.8 10v7M17.5 10v7" />
    </Icon>
  );
}
