import {
  LiveKitRoom,
  RoomAudioRenderer,
  useAudioPlayback,
  useConnectionQualityIndicator,
  useConnectionState,
} from '@livekit/components-react';
import {
  ConnectionQuality,
  ConnectionState,
  Room,
  type DisconnectReason,
  type RoomOptions,
} from 'livekit-client';
import { useCallback, useEffect, useRef, useState } from 'react';
import type { Session } from '../backend/backend.js';
import { CallPanel } from '../call/call_panel.js';
import { usePhoneCall } from '../call/use_phone_call.js';
import type { Bank, Dispute } from '../dispute/dispute.js';
import { DisputeNotes } from '../dispute/dispute_notes.js';
import { Notice } from '../shared/notice.js';
import { MicrophoneMenu, MicrophoneNotice } from './microphone.js';
import { People } from './people.js';
import { disconnectSentence } from './trouble.js';

interface Props {
  session: Session;
  dispute: Dispute;
  bank: Bank;
  /** Brings a fresh token; the old one may have run out. */
  onRejoin: () => Promise<void>;
  onLeave: () => void;
}

/**
 * Two peer connections (signal path /rtc), which every server of this protocol speaks. The path for
 * one, /rtc/v1, costs two refused requests on each join where the server does not have it.
 */
const ROOM_OPTIONS: RoomOptions = { singlePeerConnection: false };

const NOT_JOINED = 'The room could not be joined. Check that the Ringdown server is running.';

/** The person's side of the room: joins it, publishes the microphone, plays what comes back. */
export function RoomView({ session, dispute, bank, onRejoin, onLeave }: Props) {
  const [room] = useState(() => new Room(ROOM_OPTIONS));
  const [connect, setConnect] = useState(true);
  const [gone, setGone] = useState<string>();
  const [microphone, setMicrophone] = useState<string>();
  const leaving = useRef(false);

  const failed = useCallback((error: Error) => {
    // The library reports a microphone that failed and a room that failed by the same door.
    if (error instanceof DOMException) return setMicrophone(error.name);
    setConnect(false);
    setGone(NOT_JOINED);
  }, []);
  const disconnected = useCallback((reason?: DisconnectReason) => {
    setConnect(false);
    if (!leaving.current) setGone((before) => before ?? disconnectSentence(reason));
  }, []);
  const rejoin = useCallback(() => {
    onRejoin().then(
      () => {
        setGone(undefined);
        setConnect(true);
      },
      () => setGone(NOT_JOINED),
    );
  }, [onRejoin]);
  const leave = useCallback(() => {
    leaving.current = true;
    onLeave();
  }, [onLeave]);

  return (
    <LiveKitRoom
      room={room}
      serverUrl={session.server_url}
      token={session.participant_token}
      connect={connect}
      audio
      className="room"
      onError={failed}
      onDisconnected={disconnected}
    >
      <RoomAudioRenderer />
      {gone !== undefined && (
        <Notice tone="problem" action={{ label: 'Join again', run: rejoin }}>
          {gone}
        </Notice>
      )}
      {gone === undefined && <MicrophoneNotice failure={microphone} />}
      <RoomBody
        room={room}
        name={session.room_name}
        dispute={dispute}
        bank={bank}
        onLeave={leave}
      />
    </LiveKitRoom>
  );
}

interface BodyProps {
  room: Room;
  name: string;
  dispute: Dispute;
  bank: Bank;
  onLeave: () => void;
}

function RoomBody({ room, name, dispute, bank, onLeave }: BodyProps) {
  const [problem, setProblem] = useState<string>();
  const state = useConnectionState(room);
  const phoneCall = usePhoneCall(room, name, bank.phone_number, setProblem);
  const title = useRef<HTMLHeadingElement>(null);
  const playback = useAudioPlayback(room);

  useEffect(() => title.current?.focus(), []);

  // The click is the gesture that lets the browser play sound.
  const place = () => {
    void room.startAudio().catch(() => undefined);
    phoneCall.place();
  };
  const leave = () => {
    phoneCall.abandon();
    onLeave();
  };

  return (
    <>
      <div className="room-head">
        <h1 ref={title} tabIndex={-1}>
          Call your bank
        </h1>
        <button type="button" className="button button-quiet" data-testid="leave" onClick={leave}>
          Leave
        </button>
      </div>
      <ConnectionHint state={state} room={room} />
      {!playback.canPlayAudio && state === ConnectionState.Connected && (
        <Notice
          tone="hint"
          action={{ label: 'Turn on sound', run: () => void playback.startAudio() }}
        >
          Your browser is holding the sound back.
        </Notice>
      )}
      {problem !== undefined && <Notice tone="problem">{problem}</Notice>}
      <div className="room-grid">
        <CallPanel
          room={room}
          bank={bank}
          phoneCall={{ ...phoneCall, place }}
          ready={state === ConnectionState.Connected}
          onProblem={setProblem}
        />
        <div className="room-side">
          <DisputeNotes dispute={dispute} bank={bank} />
          <People bank={bank.name}>
            <MicrophoneMenu />
          </People>
        </div>
      </div>
    </>
  );
}

/** One line about the person's own connection, only when there is something to say. */
function ConnectionHint({ state, room }: { state: ConnectionState; room: Room }) {
  const { quality } = useConnectionQualityIndicator({ participant: room.localParticipant });
  if (state === ConnectionState.Reconnecting || state === ConnectionState.SignalReconnecting)
    return (
      <Notice tone="hint">
        Reconnecting{'\u2026'} The bank{'\u2019'}s side of the call stays up meanwhile.
      </Notice>
    );
  if (state !== ConnectionState.Connected) return null;
  if (quality === ConnectionQuality.Poor || quality === ConnectionQuality.Lost)
    return (
      <Notice tone="hint">Your connection is weak. The bank may hear gaps when you speak.</Notice>
    );
  return null;
}
