// The facts of a call as lines for the page. Pure.
import type { CallRecord } from '../backend/backend.js';

const ENDED_BY: Record<string, string> = {
  us: 'this server',
  far_end: 'the other side',
  carrier: 'the carrier',
  network: 'the network in between',
  policy: 'a limit that was set',
  room: 'the room',
};

/** Name and value of each line; what is not known has none. */
export function detailsOf(record: CallRecord): [string, string][] {
  const { ending, trunk, times } = record;
  const lines: [string, string | undefined][] = [
    ['Call', record.id],
    ['Trunk', named(trunk?.name, trunk?.address)],
    ['Ended by', ending && (ENDED_BY[ending.ended_by] ?? ending.ended_by)],
    ['Code', ending?.code],
    ['SIP answer', named(text(ending?.sip_status), ending?.sip_reason)],
    ["Carrier's code", ending?.carrier_code],
    ['Q.850 cause', text(ending?.q850)],
    ['Call again', again(record)],
    ['Sound', record.codec && `${record.codec.name}, ${record.codec.clock_rate} Hz`],
    ['First response', after(times, 'first_response')],
    ['Ringing', after(times, 'ringing')],
    ['Answered', after(times, 'answered')],
    ['Ended', after(times, 'ended')],
  ];
  return lines.filter((line): line is [string, string] => line[1] !== undefined && line[1] !== '');
}

function text(value: number | undefined): string | undefined {
  return value === undefined ? undefined : String(value);
}

function named(first: string | undefined, second: string | undefined): string | undefined {
  return [first, second].filter((part) => part !== undefined && part !== '').join(', ');
}

function again({ ending }: CallRecord): string | undefined {
  if (!ending) return undefined;
  if (ending.retry === 'no') return 'not worth it';
  if (ending.retry === 'when_fixed') return 'once that is set right';
  return ending.retry_after ? `in ${ending.retry_after} s` : 'later';
}

/** Seconds after it was asked for. */
function after(times: Record<string, number>, moment: string): string | undefined {
  const [asked, at] = [times['asked'], times[moment]];
  if (asked === undefined || at === undefined) return undefined;
  return `after ${((at - asked) / 1000).toFixed(2)} s`;
}
