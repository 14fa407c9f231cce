// A worker of agents, as livekit-agents is one: its side of the conversation at /agent by hand, its agents real (rtc-node).
import { once } from 'node:events';
import WebSocket from 'ws';
import { Job, JobStatus, JobType, ServerMessage, WorkerMessage } from '@livekit/protocol';
import { Room, RoomEvent } from '@livekit/rtc-node';
import { AccessToken } from 'livekit-server-sdk';
import { KEY, SECRET, until } from './server.mjs';

export async function workerToken(grant = { agent: true }) {
  const t = new AccessToken(KEY, SECRET, { identity: 'worker' });
  t.addGrant(grant);
  return t.toJwt();
}

export class Worker {
  // options: name, type, accepts ((job, worker) => false: refused, undefined: silent), json, permissions, stays (does not leave)
  static async start(server, options = {}) {
    const w = new Worker();
    Object.assign(w, { server, options, jobs: [], rooms: new Map(), begun: new Map(), leaving: new Map(), ended: [], offers: [], texts: 0, registered: undefined });
    w.ws = new WebSocket(`${server.ws}/agent?protocol=1`, { headers: { authorization: `Bearer ${await workerToken()}` } });
    await once(w.ws, 'open');
    w.ws.on('message', (data, binary) => w.take(binary ? ServerMessage.fromBinary(data) : ServerMessage.fromJsonString(String(data)), binary));
    w.ws.on('close', (code) => { w.closed = code; });
    w.say({ case: 'register', value: { type: options.type ?? JobType.JT_ROOM, agentName: options.name ?? '', version: '1.0', allowedPermissions: options.permissions } });
    await until(() => w.registered, 3000, 'the worker is registered');
    return w;
  }
  say(message) {
    const m = new WorkerMessage({ message });
    this.ws.send(this.options.json ? m.toJsonString() : m.toBinary());
  }
  take({ message: { case: what, value } }, binary) {
    this.texts += !binary;
    if (what === 'register') this.registered = value;
    else if (what === 'pong') this.pong = value;
    else if (what === 'availability') this.answer(value.job);
    else if (what === 'assignment') this.begin(value);
    else if (what === 'termination') this.finish(value.jobId);
  }
  answer(job) {
    this.offers.push(job);
    const available = this.options.accepts ? this.options.accepts(job, this) : true;
    if (available === undefined) return;
    this.say({ case: 'availability', value: { jobId: job.id, available, participantIdentity: `agent-${job.id}`, participantName: 'Agent', participantAttributes: { mood: 'good' } } });
  }
  begin(assignment) {
    this.jobs.push(assignment.job);
    // A room that ends before its agent has said hello is no news: tests look for what they need.
    this.begun.set(assignment.job.id, this.work(assignment).catch((e) => { this.failure = e; }));
  }
  // The agent: says what it was told, and repeats what it hears.
  async work({ job, token }) {
    const room = new Room();
    this.rooms.set(job.id, room);
    room.on(RoomEvent.DataReceived, (data) => room.localParticipant.publishData(Buffer.concat([Buffer.from('echo '), data]), { reliable: true }).catch(() => {}));
    await room.connect(this.server.ws, token, { autoSubscribe: true, dynacast: false });
    this.attributes = { ...room.localParticipant.attributes };
    await room.localParticipant.publishData(Buffer.from(`hello ${job.metadata}`), { reliable: true });
  }
  // Once for each room, whoever asks: rtc-node never answers a second disconnect() that meets the first.
  leave(id) {
    if (!this.leaving.has(id)) this.leaving.set(id, Promise.resolve(this.rooms.get(id)?.disconnect()).catch((e) => { this.failure = e; }));
    return this.leaving.get(id);
  }
  async finish(id) {
    if (this.options.stays) return;
    await this.begun.get(id);
    await this.leave(id);
    this.ended.push(id);
  }
  async stop() {
    await Promise.all(this.begun.values());
    await Promise.all([...this.rooms.keys()].map((id) => this.leave(id)));
    this.ws.close();
    await until(() => this.closed, 3000, 'the worker is away');
  }
}
export { Job, JobStatus, JobType };
