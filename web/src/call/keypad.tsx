import type { Room } from 'livekit-client';
import { useCallback, useEffect, useRef, useState } from 'react';
import { keyOf, KEYS, type Key } from './digits.js';
import { keyClick } from './key_click.js';

const PRESSED_MS = 140;
const SHOWN_DIGITS = 18;

interface Props {
  id: string;
  room: Room;
  onProblem: (sentence: string | undefined) => void;
}

/** The telephone keypad. While it is open the computer's own digit keys work too. */
export function Keypad({ id, room, onProblem }: Props) {
  const [sent, setSent] = useState('');
  const [pressed, setPressed] = useState<string>();
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);

  const press = useCallback(
    (key: Key) => {
      keyClick(KEYS.indexOf(key));
      setPressed(key.digit);
      clearTimeout(timer.current);
      timer.current = setTimeout(() => setPressed(undefined), PRESSED_MS);
      setSent((before) => (before + key.digit).slice(-SHOWN_DIGITS));
      room.localParticipant
        .publishDtmf(key.code, key.digit)
        .catch(() => onProblem(`The key ${key.spoken} could not be sent. Press it again.`));
    },
    [room, onProblem],
  );

  useEffect(() => {
    const down = (event: KeyboardEvent) => {
      const key = keyOf(event.key);
      if (!key || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.target instanceof Element && event.target.matches('input, select, textarea'))
        return;
      event.preventDefault();
      press(key);
    };
    document.addEventListener('keydown', down);
    return () => document.removeEventListener('keydown', down);
  }, [press]);

  useEffect(() => () => clearTimeout(timer.current), []);

  return (
    <div className="keypad" id={id} role="group" aria-label="Keypad">
      <p className="keypad-sent" aria-hidden="true">
        {sent === '' ? (
          <span className="hint">Press keys to answer the bank{'\u2019'}s menu</span>
        ) : (
          sent
        )}
      </p>
      <div className="keypad-keys">
        {KEYS.map((key) => (
          <button
            key={key.digit}
            type="button"
            data-testid={key.testId}
            data-pressed={pressed === key.digit}
            {...(key.spoken !== key.digit && { 'aria-label': key.spoken })}
            onClick={() => press(key)}
          >
            <span className="keypad-digit">{key.digit === '*' ? '\u2217' : key.digit}</span>
            <span className="keypad-letters" aria-hidden="true">
              {key.letters}
            </span>
          </button>
        ))}
      </div>
    </div>
  );
}
