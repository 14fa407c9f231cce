import { useEffect, useState } from 'react';
import { getCallRecord, getLadder, type CallRecord } from '../backend/backend.js';
import { detailsOf } from './details.js';

/**
 * What the server kept of the call that has just ended, folded away. Only an administrator may read
 * it (on this machine in development: everybody); for others there is nothing to unfold.
 */
export function CallDetails({ callId }: { callId: string }) {
  const [record, setRecord] = useState<CallRecord>();
  const [ladder, setLadder] = useState('');

  useEffect(() => {
    let current = true;
    setRecord(undefined);
    setLadder('');
    Promise.all([getCallRecord(callId), getLadder(callId)])
      .then(([found, text]) => {
        if (!current) return;
        setRecord(found);
        setLadder(text);
      })
      .catch(() => undefined);
    return () => {
      current = false;
    };
  }, [callId]);

  if (!record) return null;
  return (
    <details className="call-details" data-testid="call-details">
      <summary>Details</summary>
      <dl>
        {detailsOf(record).map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {ladder !== '' && (
        <pre data-testid="call-ladder" tabIndex={0} aria-label="SIP messages">
          {ladder}
        </pre>
      )}
    </details>
  );
}
