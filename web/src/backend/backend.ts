// The requests that the page makes to the server it came from.
import type { Bank } from '../dispute/dispute.js';
import { uuid } from '../shared/random.js';

/** Carries a sentence that can be shown as it is. */
export class BackendError extends Error {
  constructor(
    message: string,
    readonly code: string,
  ) {
    super(message);
    this.name = 'BackendError';
  }
}

export interface Config {
  banks: Bank[];
  server_url: string;
}

export interface Session {
  server_url: string;
  participant_token: string;
  room_name: string;
  participant_identity: string;
}

export interface PlacedCall {
  participant_identity: string;
  participant_id: string;
  room: string;
  sip_call_id: string;
}

/** What the server keeps of a call; docs/calls.md has the rest. */
export interface CallRecord {
  id: string;
  trunk?: { id?: string; name?: string; address?: string };
  times: Record<string, number>;
  codec?: { name: string; clock_rate: number };
  ending?: {
    code: string;
    message: string;
    ended_by: string;
    retry: 'no' | 'when_fixed' | 'later';
    retry_after?: number;
    sip_status?: number;
    sip_reason?: string;
    q850?: number;
    carrier_code?: string;
  };
}

export interface JoinRequest {
  room_name: string;
  participant_identity: string;
  participant_name: string;
  phone_number: string;
  participant_attributes: Record<string, string>;
}

export function getConfig(): Promise<Config> {
  return request<Config>('/app/config', { method: 'GET' });
}

export function joinRoom(body: JoinRequest): Promise<Session> {
  return request<Session>('/livekit/token', post(body));
}

/**
 * Places the call. A request that is lost on the way is sent once more under the same key, so that
 * the bank's phone cannot ring twice.
 */
export async function placeCall(room: string, phoneNumber: string): Promise<PlacedCall> {
  const init = post({ room, phone_number: phoneNumber }, { 'Idempotency-Key': uuid() });
  try {
    return await request<PlacedCall>('/livekit/sip/outbound', init);
  } catch (error) {
    if (!(error instanceof BackendError) || error.code !== 'unreachable') throw error;
    return request<PlacedCall>('/livekit/sip/outbound', init);
  }
}

/** `keepalive`: the request outlives the page. */
export function hangUp(room: string, identity: string, keepalive = false): Promise<unknown> {
  const body = { room, participant_identity: identity };
  return request('/livekit/sip/hangup', { ...post(body), keepalive });
}

/** For administrators: others are refused. */
export async function getCallRecord(callId: string): Promise<CallRecord> {
  const path = `/livekit/sip/calls/${encodeURIComponent(callId)}`;
  return (await request<{ call: CallRecord }>(path, { method: 'GET' })).call;
}

/** Its SIP messages as arrows, in plain text. */
export async function getLadder(callId: string): Promise<string> {
  const path = `/livekit/sip/calls/${encodeURIComponent(callId)}?format=ladder`;
  const response = await fetch(path, { cache: 'no-store', credentials: 'same-origin' });
  return response.ok ? response.text() : '';
}

function post(body: unknown, headers: Record<string, string> = {}): RequestInit {
  return {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: JSON.stringify(body),
  };
}

async function request<T>(path: string, init: RequestInit): Promise<T> {
  let response: Response;
  try {
    response = await fetch(path, { ...init, cache: 'no-store', credentials: 'same-origin' });
  } catch {
    throw new BackendError('The Ringdown server could not be reached.', 'unreachable');
  }
  const answer: unknown = await response.json().catch(() => undefined);
  if (!response.ok || refused(answer)) throw errorFrom(answer, response.status);
  if (typeof answer !== 'object' || answer === null)
    throw new BackendError(
      'The Ringdown server gave an answer the page cannot read.',
      'bad_answer',
    );
  return answer as T;
}

function refused(answer: unknown): boolean {
  return typeof answer === 'object' && answer !== null && 'success' in answer && !answer.success;
}

function errorFrom(answer: unknown, status: number): BackendError {
  const error = (answer as { error?: { code?: unknown; message?: unknown } } | undefined)?.error;
  if (typeof error?.message === 'string' && error.message !== '')
    return new BackendError(error.message, String(error.code ?? status));
  return new BackendError(
    status >= 500
      ? `The Ringdown server had a problem (${status}).`
      : `The Ringdown server refused the request (${status}).`,
    String(status),
  );
}
