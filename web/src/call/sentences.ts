// What the page says about a call, in plain sentences. Pure.
import type { Call, Phase } from './call_state.js';

/** For final SIP answers that arrive without a sentence of the server's own. */
const SENTENCE_OF_CODE: Record<string, string> = {
  '403': 'The phone company refused the call.',
  '404': 'That number does not exist.',
  '408': 'Nobody answered.',
  '480': 'The bank cannot be reached right now.',
  '486': 'The bank\u2019s line is busy.',
  '487': 'The call was cancelled before it was answered.',
  '488': 'The bank\u2019s phone system could not take the call.',
  '503': 'The phone company could not take the call.',
  '600': 'The bank\u2019s line is busy.',
  '603': 'The bank declined the call.',
};

export function endedSentence(call: Call): string {
  if (call.endedReason) return call.endedReason;
  const known = call.statusCode ? SENTENCE_OF_CODE[call.statusCode] : undefined;
  if (known) return known;
  if (call.hangingUp) return 'You hung up.';
  return call.connectedAt === undefined
    ? 'The call ended before anyone answered.'
    : 'The call ended.';
}

/** The short visible line. */
export function stateLabel(call: Call): string {
  if (call.hangingUp && call.phase !== 'ended') return 'Hanging up\u2026';
  const label: Record<Phase, string> = {
    idle: 'Ready to call',
    placing: 'Dialing\u2026',
    dialing: 'Dialing\u2026',
    ringing: 'Ringing\u2026',
    connected: 'Connected',
    ended: 'Call ended',
  };
  return label[call.phase];
}

/** The sentence for the live region. `placing` and `dialing` share one, so it is spoken once. */
export function announcement(call: Call, bank: string): string {
  if (call.hangingUp && call.phase !== 'ended') return 'Hanging up.';
  switch (call.phase) {
    case 'idle':
      return '';
    case 'placing':
    case 'dialing':
      return `Dialing ${bank}.`;
    case 'ringing':
      return `Ringing ${bank}.`;
    case 'connected':
      return `Connected to ${bank}.`;
    case 'ended':
      return `Call ended. ${endedSentence(call)}`;
  }
}
