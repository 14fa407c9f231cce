// Which of the two views is shown: the dispute form, or the room of a saved dispute.
import { useCallback, useEffect, useState } from 'react';
import { BackendError, getConfig, joinRoom, type Config, type Session } from './backend/backend.js';
import {
  attributesOf,
  check,
  draftFrom,
  type Bank,
  type Dispute,
  type Draft,
} from './dispute/dispute.js';
import { DisputeForm } from './dispute/dispute_form.js';
import { RoomView } from './room/room_view.js';
import { Notice } from './shared/notice.js';
import { randomName } from './shared/random.js';
import { forget, load, save } from './shared/storage.js';

const DRAFT_KEY = 'ringdown.dispute';
const PLACE_KEY = 'ringdown.place';

/** Where the person sits, so that a reload in the middle of a call brings them back to it. */
interface Place {
  room: string;
  identity: string;
}

interface Joined {
  session: Session;
  dispute: Dispute;
  bank: Bank;
}

export function App() {
  const [config, setConfig] = useState<Config>();
  const [draft, setDraft] = useState<Draft>(() => draftFrom(load(DRAFT_KEY)));
  const [joined, setJoined] = useState<Joined>();
  const [busy, setBusy] = useState(() => placeFrom(load(PLACE_KEY)) !== undefined);
  const [returned, setReturned] = useState(false);
  const [problem, setProblem] = useState<string>();

  const loadConfig = useCallback(async () => {
    setProblem(undefined);
    try {
      setConfig(await getConfig());
    } catch (error) {
      setBusy(false);
      setProblem(sentenceOf(error));
    }
  }, []);

  useEffect(() => void loadConfig(), [loadConfig]);

  /** Asks for a token; with it the room view opens, or goes on with the newer token. */
  const enter = useCallback(async (dispute: Dispute, bank: Bank, place: Place) => {
    const session = await joinRoom({
      room_name: place.room,
      participant_identity: place.identity,
      participant_name: 'Cardholder',
      phone_number: bank.phone_number,
      participant_attributes: attributesOf(dispute, bank),
    });
    save(PLACE_KEY, { room: session.room_name, identity: session.participant_identity });
    setJoined({ session, dispute, bank });
  }, []);

  const join = useCallback(
    async (dispute: Dispute, bank: Bank, place: Place) => {
      setBusy(true);
      setProblem(undefined);
      try {
        await enter(dispute, bank, place);
      } catch (error) {
        forget(PLACE_KEY);
        setProblem(sentenceOf(error));
      } finally {
        setBusy(false);
      }
    },
    [enter],
  );

  const rejoin = useCallback(async () => {
    if (!joined) return;
    const { room_name: room, participant_identity: identity } = joined.session;
    await enter(joined.dispute, joined.bank, { room, identity });
  }, [joined, enter]);

  useEffect(() => {
    const place = placeFrom(load(PLACE_KEY));
    if (!config || !place) return;
    const checked = check(draftFrom(load(DRAFT_KEY)), config.banks, new Date());
    const bank = 'dispute' in checked && bankOf(config, checked.dispute);
    if ('dispute' in checked && bank) void join(checked.dispute, bank, place);
    else setBusy(false);
  }, [config, join]);

  const change = useCallback((next: Draft) => {
    setDraft(next);
    save(DRAFT_KEY, next);
  }, []);

  const submit = useCallback(
    (dispute: Dispute) => {
      const bank = config && bankOf(config, dispute);
      if (!bank) return;
      void join(dispute, bank, {
        room: `dispute-${randomName(8)}`,
        identity: `cardholder-${randomName(8)}`,
      });
    },
    [config, join],
  );

  const leave = useCallback(() => {
    forget(PLACE_KEY);
    setReturned(true);
    setJoined(undefined);
  }, []);

  return (
    <>
      <header className="masthead">
        <span className="mark" aria-hidden="true" />
        <span className="wordmark">Ringdown</span>
      </header>
      <main className="page">
        {joined ? (
          <RoomView key={joined.session.room_name} {...joined} onRejoin={rejoin} onLeave={leave} />
        ) : (
          <>
            {problem !== undefined && (
              <Notice
                tone="problem"
                {...(!config && { action: { label: 'Try again', run: () => void loadConfig() } })}
              >
                {problem}
              </Notice>
            )}
            <DisputeForm
              banks={config?.banks}
              draft={draft}
              busy={busy}
              returned={returned}
              onChange={change}
              onSave={submit}
            />
          </>
        )}
      </main>
    </>
  );
}

function bankOf(config: Config, dispute: Dispute): Bank | undefined {
  return config.banks.find((b) => b.id === dispute.bank);
}

function placeFrom(stored: unknown): Place | undefined {
  if (typeof stored !== 'object' || stored === null) return undefined;
  const { room, identity } = stored as Record<string, unknown>;
  return typeof room === 'string' && typeof identity === 'string' ? { room, identity } : undefined;
}

function sentenceOf(error: unknown): string {
  return error instanceof BackendError ? error.message : 'Something went wrong on this page.';
}
