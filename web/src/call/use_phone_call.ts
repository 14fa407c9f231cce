// Binds the pure call state to a room and to the backend: room events in, requests out.
import {
  ConnectionState,
  ParticipantKind,
  RoomEvent,
  type Participant,
  type Room,
} from 'livekit-client';
import { useCallback, useEffect, useReducer, useRef } from 'react';
import { BackendError, hangUp as askHangUp, placeCall } from '../backend/backend.js';
import { isLive, NO_CALL, step, type Call, type CallEvent } from './call_state.js';

/** How long the phone may take to leave the room after the backend agreed to hang up. */
const LEAVE_GRACE_MS = 2000;

export interface PhoneCall {
  call: Call;
  place: () => void;
  hangUp: () => void;
  /** Ends a live call without waiting: the person is leaving the room. */
  abandon: () => void;
}

export function usePhoneCall(
  room: Room,
  roomName: string,
  number: string,
  onProblem: (sentence: string | undefined) => void,
): PhoneCall {
  const [call, dispatch] = useReducer(step, NO_CALL);
  usePhoneEvents(room, call.identity, dispatch);

  // Answers to an earlier call's requests must not touch this call.
  const attempt = useRef(0);
  const grace = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(grace.current), []);

  const place = useCallback(() => {
    const mine = ++attempt.current;
    const tell = (event: CallEvent) => mine === attempt.current && dispatch(event);
    clearTimeout(grace.current);
    onProblem(undefined);
    dispatch({ type: 'place' });
    placeCall(roomName, number).then(
      ({ participant_identity: identity, sip_call_id: callId }) =>
        tell({ type: 'placed', identity, callId }),
      (error: unknown) => tell({ type: 'failed', sentence: whyFailed(error), at: Date.now() }),
    );
  }, [roomName, number, onProblem]);

  const hangUp = useCallback(() => {
    onProblem(undefined);
    dispatch({ type: 'hang-up' });
  }, [onProblem]);

  // Hanging up may be asked for before the phone has a name: the request waits for it.
  const { identity, hangingUp } = call;
  const live = isLive(call);
  const asked = useRef<string>(undefined);
  useEffect(() => {
    if (!hangingUp || !live) asked.current = undefined;
    if (!hangingUp || !live || identity === undefined || asked.current === identity) return;
    asked.current = identity;
    const mine = attempt.current;
    askHangUp(roomName, identity).then(
      () => {
        if (mine !== attempt.current) return;
        const gone = () => dispatch({ type: 'hung-up', at: Date.now() });
        grace.current = setTimeout(gone, LEAVE_GRACE_MS);
      },
      (error: unknown) => {
        if (mine !== attempt.current) return;
        dispatch({ type: 'hang-up-failed' });
        onProblem(`The call could not be ended. ${whyFailed(error)}`);
      },
    );
  }, [hangingUp, live, identity, roomName, onProblem]);

  const abandon = useCallback(() => {
    if (live && identity !== undefined) askHangUp(roomName, identity, true).catch(() => undefined);
  }, [live, identity, roomName]);

  return { call, place, hangUp, abandon };
}

function whyFailed(error: unknown): string {
  return error instanceof BackendError ? error.message : 'Something went wrong on this page.';
}

/** Tells the reducer about every phone that comes, changes and goes. */
function usePhoneEvents(
  room: Room,
  identity: string | undefined,
  dispatch: (event: CallEvent) => void,
): void {
  const current = useRef(identity);
  current.current = identity;

  useEffect(() => {
    const seen = (participant: Participant) => {
      if (participant.kind !== ParticipantKind.SIP) return;
      const { identity, attributes } = participant;
      dispatch({
        type: 'seen',
        phone: { identity, attributes: { ...attributes } },
        at: Date.now(),
      });
    };
    const changed = (_what: Record<string, string>, participant: Participant) => seen(participant);
    const left = (participant: Participant) => {
      if (participant.kind !== ParticipantKind.SIP) return;
      seen(participant);
      // A full reconnect empties the room for a moment; only a standing connection can tell.
      if (room.state === ConnectionState.Connected)
        dispatch({ type: 'left', identity: participant.identity, at: Date.now() });
    };
    const look = () => {
      room.remoteParticipants.forEach(seen);
      const known = current.current;
      if (known !== undefined && !room.remoteParticipants.has(known))
        dispatch({ type: 'left', identity: known, at: Date.now() });
    };
    const lost = () => dispatch({ type: 'failed', sentence: LOST, at: Date.now() });

    room
      .on(RoomEvent.ParticipantConnected, seen)
      .on(RoomEvent.ParticipantAttributesChanged, changed)
      .on(RoomEvent.ParticipantDisconnected, left)
      .on(RoomEvent.Connected, look)
      .on(RoomEvent.Reconnected, look)
      .on(RoomEvent.Disconnected, lost);
    return () => {
      room
        .off(RoomEvent.ParticipantConnected, seen)
        .off(RoomEvent.ParticipantAttributesChanged, changed)
        .off(RoomEvent.ParticipantDisconnected, left)
        .off(RoomEvent.Connected, look)
        .off(RoomEvent.Reconnected, look)
        .off(RoomEvent.Disconnected, lost);
    };
  }, [room, dispatch]);

  // The backend's answer may name a phone that came into the room before it.
  useEffect(() => {
    const phone = identity === undefined ? undefined : room.remoteParticipants.get(identity);
    if (phone?.kind !== ParticipantKind.SIP) return;
    const { attributes } = phone;
    dispatch({
      type: 'seen',
      phone: { identity: phone.identity, attributes: { ...attributes } },
      at: Date.now(),
    });
  }, [room, identity, dispatch]);
}

const LOST = 'The connection to the call was lost.';
