// The life of one phone call as the page sees it. Pure: events in, next state out.
//
//   idle --place--> placing --seen--> dialing --> ringing --> connected --> ended
//                      |                 |           |                        |
//                      +---- failed -----+-- left ---+------------------------+
//   ended --place--> placing (call again)
//
// The phone is a participant of the room; its attribute sip.callStatus drives the middle of the
// drawing. A call never goes backwards: a status of lower rank that arrives late is ignored.

export type Phase = 'idle' | 'placing' | 'dialing' | 'ringing' | 'connected' | 'ended';

const RANK: Record<Phase, number> = {
  idle: 0,
  placing: 1,
  dialing: 2,
  ringing: 3,
  connected: 4,
  ended: 5,
};

/** sip.callStatus -> phase. `automation` means answered, with digits still being sent. */
const PHASE_OF_STATUS: Record<string, Phase> = {
  dialing: 'dialing',
  ringing: 'ringing',
  active: 'connected',
  automation: 'connected',
  hangup: 'ended',
};

export const ATTRIBUTE = {
  status: 'sip.callStatus',
  callId: 'sip.callID',
  phoneNumber: 'sip.phoneNumber',
  endedReason: 'ringdown.endedReason',
  statusCode: 'ringdown.sipStatusCode',
} as const;

export interface Phone {
  identity: string;
  attributes: Readonly<Record<string, string>>;
}

export interface Call {
  phase: Phase;
  /** The room participant that is the phone; unknown until it is seen or the backend names it. */
  identity?: string;
  callId?: string;
  /** Milliseconds since the epoch. */
  connectedAt?: number;
  endedAt?: number;
  /** The person asked to hang up; the phone has not gone yet. */
  hangingUp: boolean;
  /** Why it ended, in a plain sentence, when somebody told us. */
  endedReason?: string;
  statusCode?: string;
  /** The call before this one: its phone may still be leaving the room. */
  previous?: { identity?: string; callId?: string };
}

export type CallEvent =
  | { type: 'place' }
  | { type: 'placed'; identity: string; callId: string }
  | { type: 'failed'; sentence: string; at: number }
  | { type: 'seen'; phone: Phone; at: number }
  | { type: 'left'; identity: string; at: number }
  | { type: 'hang-up' }
  | { type: 'hang-up-failed' }
  | { type: 'hung-up'; at: number };

export const NO_CALL: Call = { phase: 'idle', hangingUp: false };

export function isLive(call: Call): boolean {
  return call.phase !== 'idle' && call.phase !== 'ended';
}

export function step(call: Call, event: CallEvent): Call {
  switch (event.type) {
    case 'place':
      return isLive(call) ? call : placing(call);
    case 'placed':
      return isLive(call) && call.identity === undefined
        ? { ...call, identity: event.identity, callId: event.callId }
        : call;
    case 'failed':
      return isLive(call) ? { ...end(call, event.at), endedReason: event.sentence } : call;
    case 'seen':
      return seen(call, event.phone, event.at);
    case 'left':
      return isLive(call) && call.identity === event.identity ? end(call, event.at) : call;
    case 'hang-up':
      return isLive(call) ? { ...call, hangingUp: true } : call;
    case 'hang-up-failed':
      return isLive(call) ? { ...call, hangingUp: false } : call;
    case 'hung-up':
      return isLive(call) ? end({ ...call, hangingUp: true }, event.at) : call;
  }
}

function placing(call: Call): Call {
  const previous: NonNullable<Call['previous']> = {};
  if (call.identity !== undefined) previous.identity = call.identity;
  if (call.callId !== undefined) previous.callId = call.callId;
  return { phase: 'placing', hangingUp: false, previous };
}

function end(call: Call, at: number): Call {
  return call.phase === 'ended' ? call : { ...call, phase: 'ended', endedAt: at };
}

function seen(call: Call, phone: Phone, at: number): Call {
  const status = phone.attributes[ATTRIBUTE.status] ?? 'dialing';
  const phase = PHASE_OF_STATUS[status] ?? 'dialing';
  if (!isOurs(call, phone, phase)) return call;

  const base: Call = isLive(call) || call.phase === phase ? call : { ...NO_CALL };
  const next: Call = { ...base, identity: phone.identity };
  const callId = phone.attributes[ATTRIBUTE.callId];
  if (callId) next.callId = callId;
  const reason = phone.attributes[ATTRIBUTE.endedReason];
  if (reason) next.endedReason = reason;
  const code = phone.attributes[ATTRIBUTE.statusCode];
  if (code) next.statusCode = code;

  if (RANK[phase] <= RANK[base.phase]) return next;
  if (phase === 'ended') return end(next, at);
  next.phase = phase;
  if (phase === 'connected') next.connectedAt = at;
  return next;
}

/**
 * Is this phone the call that we show? In a quiet room any live phone is adopted (the page was
 * reloaded mid-call, or somebody else in the room placed it); a phone on its way out is not.
 */
function isOurs(call: Call, phone: Phone, phase: Phase): boolean {
  const callId = phone.attributes[ATTRIBUTE.callId];
  if (call.phase === 'idle') return phase !== 'ended';
  if (call.phase === 'ended') {
    const same = matches(call, phone.identity, callId);
    return phase === 'ended' ? same : !same;
  }
  if (call.identity !== undefined) return matches(call, phone.identity, callId);
  return call.previous?.identity === undefined || !matches(call.previous, phone.identity, callId);
}

/** Same identity, and the same call id wherever both sides know one. */
function matches(
  known: { identity?: string; callId?: string },
  identity: string,
  callId: string | undefined,
): boolean {
  if (known.identity !== identity) return false;
  return !known.callId || !callId || known.callId === callId;
}
