import { useMultibandTrackVolume } from '@livekit/components-react';
import { Track, type Participant, type RemoteAudioTrack } from 'livekit-client';

/**
 * The bank's voice as five bars. The bands are bins of a 2048-point spectrum at 48 kHz (23 Hz
 * each): 12 to 140 is what a telephone carries, about 300 to 3300 Hz.
 */
const BANDS = { bands: 5, loPass: 12, hiPass: 140, updateInterval: 60 };

export function VoiceBars({ phone }: { phone: Participant }) {
  const publication =
    phone.getTrackPublication(Track.Source.Microphone) ??
    [...phone.audioTrackPublications.values()][0];
  const track = publication?.track as RemoteAudioTrack | undefined;
  return track ? <Bars track={track} /> : null;
}

function Bars({ track }: { track: RemoteAudioTrack }) {
  const volumes = useMultibandTrackVolume(track, BANDS);
  return (
    <span className="voice-bars">
      {Array.from({ length: BANDS.bands }, (_, i) => (
        <i key={i} style={{ transform: `scaleY(${Math.min(1, 0.12 + (volumes[i] ?? 0))})` }} />
      ))}
    </span>
  );
}
