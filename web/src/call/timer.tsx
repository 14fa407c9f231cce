import { useEffect, useState } from 'react';
import { duration, spokenDuration } from '../shared/format.js';

/** Time since the call was answered; stands still once it has ended. */
export function Timer({ from, to }: { from: number; to: number | undefined }) {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (to !== undefined) return;
    setNow(Date.now());
    const ticking = setInterval(() => setNow(Date.now()), 250);
    return () => clearInterval(ticking);
  }, [from, to]);
  const ms = (to ?? now) - from;
  return (
    <span className="timer">
      <span data-testid="call-timer" aria-hidden="true">
        {duration(ms)}
      </span>
      <span className="unseen">{spokenDuration(ms)}</span>
    </span>
  );
}
