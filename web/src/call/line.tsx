import { useIsSpeaking } from '@livekit/components-react';
import type { Participant } from 'livekit-client';
import { BankIcon, PersonIcon } from '../shared/icons.js';
import type { Phase } from './call_state.js';
import { VoiceBars } from './voice_bars.js';

interface Props {
  phase: Phase;
  you: Participant;
  phone: Participant | undefined;
  bank: string;
}

/** The line between the person and the bank: open, being set up, ringing, whole, or cut. */
export function Line({ phase, you, phone, bank }: Props) {
  return (
    <div className="line" data-phase={phase} aria-hidden="true">
      <div className="line-end" data-on="true">
        <span className="line-dot">
          <Halo participant={you} />
          <PersonIcon />
        </span>
        <span className="line-name">You</span>
      </div>
      <div className="line-wire">
        <span className="line-pulse" />
        {phase === 'connected' && phone && <VoiceBars phone={phone} />}
      </div>
      <div className="line-end" data-on={phase === 'connected'}>
        <span className="line-dot">
          {phone && <Halo participant={phone} />}
          <BankIcon />
        </span>
        <span className="line-name">{bank}</span>
      </div>
    </div>
  );
}

function Halo({ participant }: { participant: Participant }) {
  const speaking = useIsSpeaking(participant);
  return <span className="halo" data-speaking={speaking} />;
}
