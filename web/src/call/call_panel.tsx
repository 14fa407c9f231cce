import { useLocalParticipant, useRemoteParticipants } from '@livekit/components-react';
import type { Room } from 'livekit-client';
import { useEffect, useId, useRef, useState } from 'react';
import { MuteButton } from '../room/microphone.js';
import { phoneNumber } from '../shared/format.js';
import { HangUpIcon, KeypadIcon, PhoneIcon } from '../shared/icons.js';
import type { Bank } from '../dispute/dispute.js';
import { isLive, type Call } from './call_state.js';
import { CallDetails } from './call_details.js';
import { Keypad } from './keypad.js';
import { Line } from './line.js';
import { announcement, endedSentence, stateLabel } from './sentences.js';
import { Timer } from './timer.js';
import type { PhoneCall } from './use_phone_call.js';

interface Props {
  room: Room;
  bank: Bank;
  phoneCall: PhoneCall;
  /** Connected to the room, so that a call can be placed. */
  ready: boolean;
  onProblem: (sentence: string | undefined) => void;
}

/** The call itself: the line, its state in words, and what can be done about it. */
export function CallPanel({ room, bank, phoneCall, ready, onProblem }: Props) {
  const { call } = phoneCall;
  const { localParticipant } = useLocalParticipant();
  const phone = useRemoteParticipants().find((p) => p.identity === call.identity);
  const [keypad, setKeypad] = useState(false);
  const keypadId = useId();
  const connected = call.phase === 'connected';
  const main = useFocusKept(isLive(call));

  useEffect(() => {
    if (!connected) setKeypad(false);
  }, [connected]);

  return (
    <section className="sheet call" aria-label="Call">
      <Line phase={call.phase} you={localParticipant} phone={phone} bank={bank.name} />
      <CallWords call={call} bank={bank} ready={ready} />
      {connected && keypad && <Keypad id={keypadId} room={room} onProblem={onProblem} />}
      <div className="controls">
        {isLive(call) ? (
          <>
            <MuteButton />
            <button
              type="button"
              className="button button-round"
              data-testid="keypad-toggle"
              disabled={!connected}
              aria-expanded={connected && keypad}
              {...(keypad && { 'aria-controls': keypadId })}
              onClick={() => setKeypad(!keypad)}
            >
              <KeypadIcon />
              Keypad
            </button>
            <button
              ref={main}
              type="button"
              className="button button-round button-danger"
              data-testid="hang-up"
              aria-disabled={call.hangingUp}
              onClick={() => !call.hangingUp && phoneCall.hangUp()}
            >
              <HangUpIcon />
              Hang up
            </button>
          </>
        ) : (
          <button
            ref={main}
            type="button"
            className="button button-call"
            data-testid={call.phase === 'ended' ? 'call-again' : 'call-bank'}
            aria-disabled={!ready}
            onClick={() => ready && phoneCall.place()}
          >
            <PhoneIcon />
            {call.phase === 'ended' ? 'Call again' : 'Call Bank'}
          </button>
        )}
      </div>
      {call.phase === 'ended' && call.callId !== undefined && <CallDetails callId={call.callId} />}
      <p className="unseen" role="status" aria-live="polite">
        {announcement(call, bank.name)}
      </p>
    </section>
  );
}

function CallWords({ call, bank, ready }: { call: Call; bank: Bank; ready: boolean }) {
  return (
    <div className="call-words" data-phase={call.phase}>
      <h2 data-testid="call-state" data-state={call.phase}>
        {call.phase === 'idle' && !ready ? 'Joining the room\u2026' : stateLabel(call)}
      </h2>
      {call.connectedAt !== undefined && <Timer from={call.connectedAt} to={call.endedAt} />}
      {call.phase === 'ended' ? (
        <p data-testid="call-ended-reason">{endedSentence(call)}</p>
      ) : (
        call.connectedAt === undefined && (
          <p>
            {bank.name}, {phoneNumber(bank.phone_number)}
          </p>
        )
      )}
    </div>
  );
}

/** When the focused button gives way to another, the focus goes to the one that took its place. */
function useFocusKept(live: boolean) {
  const main = useRef<HTMLButtonElement>(null);
  const before = useRef(live);
  useEffect(() => {
    if (before.current === live) return;
    before.current = live;
    if (document.activeElement === null || document.activeElement === document.body)
      main.current?.focus();
  }, [live]);
  return main;
}
