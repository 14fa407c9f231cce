import { useMediaDeviceSelect, useTrackToggle } from '@livekit/components-react';
import { Track } from 'livekit-client';
import { useId } from 'react';
import { MicrophoneIcon } from '../shared/icons.js';

/** Its words say what a press does, so it carries no pressed state of its own. */
export function MuteButton() {
  const { buttonProps, enabled } = useTrackToggle({ source: Track.Source.Microphone });
  const { className: _library, 'aria-pressed': _pressed, ...rest } = buttonProps;
  return (
    <button
      {...rest}
      type="button"
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
