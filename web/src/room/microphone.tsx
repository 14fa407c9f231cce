import {
  useLocalParticipant,
  useMediaDeviceSelect,
  useTrackToggle,
} from '@livekit/components-react';
import { Track } from 'livekit-client';
import { useId } from 'react';
import { MicrophoneIcon } from '../shared/icons.js';
import { Notice } from '../shared/notice.js';
import { microphoneSentence } from './trouble.js';

/** Its words say what a press does, so it carries no pressed state of its own. */
export function MuteButton() {
  const { buttonProps, enabled } = useTrackToggle({ source: Track.Source.Microphone });
  // `disabled` would take the focus away while the track changes.
  const { className: _library, 'aria-pressed': _pressed, disabled, onClick, ...rest } = buttonProps;
  return (
    <button
      {...rest}
      type="button"
      aria-disabled={disabled}
      onClick={(event) => !disabled && onClick?.(event)}
      className="button button-round"
      data-testid="mute"
      data-muted={!enabled}
    >
      <MicrophoneIcon off={!enabled} />
      {enabled ? 'Mute' : 'Unmute'}
    </button>
  );
}

/** A choice of microphones; nothing while there is only one. */
export function MicrophoneMenu() {
  const id = useId();
  const { devices, activeDeviceId, setActiveMediaDevice } = useMediaDeviceSelect({
    kind: 'audioinput',
    requestPermissions: false,
  });
  const named = devices.filter((d) => d.deviceId !== '' && d.label !== '');
  if (named.length < 2) return null;
  return (
    <div className="row">
      <label htmlFor={id}>Microphone</label>
      <select
        id={id}
        value={activeDeviceId}
        onChange={(e) => void setActiveMediaDevice(e.target.value).catch(() => undefined)}
      >
        {named.map((d) => (
          <option key={d.deviceId} value={d.deviceId}>
            {d.label}
          </option>
        ))}
      </select>
    </div>
  );
}

/** Why there is no microphone, until there is one. `failure` is the name of the browser's error. */
export function MicrophoneNotice({ failure }: { failure: string | undefined }) {
  const { localParticipant, isMicrophoneEnabled, lastMicrophoneError } = useLocalParticipant();
  const name = lastMicrophoneError?.name ?? failure;
  if (name === undefined || isMicrophoneEnabled) return null;
  const retry = () => void localParticipant.setMicrophoneEnabled(true).catch(() => undefined);
  return (
    <Notice tone="problem" action={{ label: 'Try again', run: retry }}>
      {microphoneSentence(name, window.isSecureContext)}
    </Notice>
  );
}
