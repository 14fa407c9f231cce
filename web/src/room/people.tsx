import {
  useConnectionQualityIndicator,
  useIsMuted,
  useIsSpeaking,
  useParticipants,
} from '@livekit/components-react';
import { ConnectionQuality, ParticipantKind, Track, type Participant } from 'livekit-client';
import type { ReactNode } from 'react';
import { ATTRIBUTE } from '../call/call_state.js';
import { phoneNumber } from '../shared/format.js';

/** Everybody in the room: who speaks, who is muted, whose connection is weak. */
export function People({ bank, children }: { bank: string; children: ReactNode }) {
  const people = useParticipants();
  return (
    <section className="sheet people" aria-labelledby="people-title">
      <h2 id="people-title">In the room</h2>
      <ul data-testid="participants">
        {people.map((p) => (
          <Person key={p.identity || 'you'} person={p} bank={bank} />
        ))}
      </ul>
      {children}
    </section>
  );
}

function Person({ person, bank }: { person: Participant; bank: string }) {
  const speaking = useIsSpeaking(person);
  const muted = useIsMuted({ participant: person, source: Track.Source.Microphone });
  const { quality } = useConnectionQualityIndicator({ participant: person });
  const { name, role } = describe(person, bank);
  return (
    <li data-speaking={speaking} data-identity={person.identity}>
      <span className="speaking-mark" aria-hidden="true">
        <i />
        <i />
        <i />
      </span>
      <span className="person-name">{name}</span>
      <span className="person-role">
        {[role, note(person, muted, speaking, quality)].filter(Boolean).join(', ')}
      </span>
    </li>
  );
}

function describe(person: Participant, bank: string): { name: string; role: string } {
  if (person.isLocal) return { name: 'You', role: '' };
  if (person.kind === ParticipantKind.SIP) {
    const number = person.attributes[ATTRIBUTE.phoneNumber];
    return { name: bank, role: number ? `phone ${phoneNumber(number)}` : 'phone' };
  }
  const role = person.kind === ParticipantKind.AGENT ? 'assistant' : '';
  return { name: person.name || person.identity, role };
}

function note(
  person: Participant,
  muted: boolean,
  speaking: boolean,
  quality: ConnectionQuality,
): string {
  if (quality === ConnectionQuality.Lost) return 'connection lost';
  if (quality === ConnectionQuality.Poor) return 'weak connection';
  if (person.isLocal && muted) return 'muted';
  return speaking ? 'speaking' : '';
}
