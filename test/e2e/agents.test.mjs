// Agents: workers register, are dispatched by name, by a room's configuration, by a token or into every room, and answer there.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import WebSocket from 'ws';
import { RoomConfiguration } from '@livekit/protocol';
import { dispose, RoomEvent } from '@livekit/rtc-node';
import { AccessToken, AgentDispatchClient, RoomAgentDispatch } from 'livekit-server-sdk';
import { KEY, SECRET, Server, until } from './lib/server.mjs';
import { Person } from './lib/people.mjs';
import { JobStatus, JobType, Worker, workerToken } from './lib/worker.mjs';

const AGENT = 4;
let server, dispatches;
before(async () => {
  server = await Server.start({ simulator: false });
  dispatches = new AgentDispatchClient(server.http, KEY, SECRET);
});
after(async () => { await server.stop(); await dispose(); });

async function person(room, identity) {
  const p = await Person.join(server, room, identity);
  p.heard = [];
  p.room.on(RoomEvent.DataReceived, (data) => p.heard.push(Buffer.from(data).toString()));
  return p;
}
const says = (p, text) => p.room.localParticipant.publishData(Buffer.from(text), { reliable: true });
const hears = (p, text) => until(() => p.heard.includes(text), 8000, `${p.identity} hears "${text}" (heard: ${p.heard})`);
const agents = async (room) => (await server.rooms.listParticipants(room)).filter((p) => p.kind === AGENT);

test('by name: it joins, answers, is listed, and leaves when its dispatch is deleted', async () => {
  const worker = await Worker.start(server, { name: 'greeter' });
  assert.match(worker.registered.workerId, /^AW_/);
  assert.equal(worker.registered.serverInfo.agentProtocol, 1);
  const alice = await person('named', 'alice');
  const made = await dispatches.createDispatch('named', 'greeter', { metadata: 'by name' });
  await hears(alice, 'hello by name');
  await says(alice, 'one two');
  await hears(alice, 'echo one two');

  const [job] = worker.jobs;
  assert.equal(job.room.name, 'named');
  assert.equal(job.dispatchId, made.id);
  assert.equal(worker.attributes['lk.agent_name'], 'greeter');
  assert.equal(worker.attributes.mood, 'good');
  const [agent] = await agents('named');
  assert.equal(agent.name, 'Agent');
  assert.equal(agent.permission.agent, true);
  assert.equal((await server.rooms.listRooms(['named']))[0].numParticipants, 1, 'agents do not count');
  const [listed] = await dispatches.listDispatch('named').then((l) => l.filter((d) => d.id === made.id));
  assert.equal(listed.state.jobs[0].id, job.id);
  assert.equal(listed.state.jobs[0].state.status, JobStatus.JS_RUNNING);
  assert.equal(listed.state.jobs[0].state.participantIdentity, agent.identity);

  await dispatches.deleteDispatch(made.id, 'named');
  await until(() => worker.ended.includes(job.id), 3000, 'the job is ended');
  await until(async () => !(await agents('named')).length, 3000, 'the agent is gone');
  await worker.stop();
  await alice.leave();
});

test('by the configuration of the room, and by the token that makes it', async () => {
  const worker = await Worker.start(server, { name: 'configured', json: true });
  const wish = (metadata) => [new RoomAgentDispatch({ agentName: 'configured', metadata })];
  await server.rooms.createRoom({ name: 'made', agents: wish('made') });
  const alice = await person('made', 'alice');
  await until(async () => (await agents('made')).length, 8000, 'the agent is in the room');
  await says(alice, 'you');
  await hears(alice, 'echo you');
  assert.ok(worker.texts > 0, 'who speaks JSON is answered in JSON');
  // The room ends, and with it the job.
  await server.rooms.deleteRoom('made');
  await until(() => worker.ended.includes(worker.jobs[0].id), 3000, 'the job is ended');

  const t = new AccessToken(KEY, SECRET, { identity: 'bob' });
  t.addGrant({ roomJoin: true, room: 'token' });
  t.roomConfig = new RoomConfiguration({ agents: wish('by token') });
  const bob = await Person.join({ ws: server.ws, token: () => t.toJwt() }, 'token', 'bob');
  await until(async () => (await agents('token')).length, 8000, 'the agent is in the room');
  assert.equal(worker.jobs[1].metadata, 'by token');
  await Promise.all([alice.leave(), bob.leave(), worker.stop()]);
});

test('without a name: every room that names nobody; one job for each publisher, and each participant', async () => {
  const everywhere = await Worker.start(server);
  const publishers = await Worker.start(server, { type: JobType.JT_PUBLISHER });
  const participants = await Worker.start(server, { type: JobType.JT_PARTICIPANT });
  await server.rooms.createRoom({ name: 'others', agents: [new RoomAgentDispatch({ agentName: 'nobody' })] });
  const alice = await person('anybody', 'alice');
  await until(() => everywhere.jobs.length && participants.jobs.length, 5000, 'a job for the room and one for alice');
  assert.equal(everywhere.jobs[0].room.name, 'anybody');
  assert.equal(participants.jobs[0].participant.identity, 'alice');
  assert.equal(publishers.offers.length, 0);
  await alice.speak(440);
  await until(() => publishers.jobs.length, 5000, 'a job for the publisher');
  assert.equal(publishers.jobs[0].participant.identity, 'alice');
  assert.deepEqual(everywhere.offers.map((j) => j.room.name), ['anybody'], 'a room that names its agents gets no others');
  assert.equal(participants.offers.length, 1, 'agents are no participants that need agents');
  await Promise.all([alice.leave(), everywhere.stop(), publishers.stop(), participants.stop()]);
});

test('who refuses, is full, or goes away is followed by the next', async () => {
  const refuses = await Worker.start(server, { name: 'pair', accepts: () => false });
  const goes = await Worker.start(server, { name: 'pair', accepts: (_job, w) => w.ws.terminate() });
  const full = await Worker.start(server, { name: 'pair' });
  full.say({ case: 'updateWorker', value: { status: 1, load: 1 } });
  full.say({ case: 'ping', value: { timestamp: 5n } });
  await until(() => full.pong?.lastTimestamp === 5n, 3000, 'a pong');
  const works = await Worker.start(server, { name: 'pair' });
  // Who is asked first is left to chance; but every job ends with the one that works.
  const followed = (w) => w.offers.some((job) => works.jobs.some((j) => j.id === job.id));
  for (let n = 1; !followed(refuses) || !followed(goes); n++) {
    assert.ok(n < 50, 'all are asked at some time');
    await dispatches.createDispatch('pairs', 'pair');
    await until(() => works.jobs.length === n, 5000, 'the next one takes it');
  }
  assert.equal(full.offers.length, 0);
  await Promise.all([refuses.stop(), full.stop(), works.stop()]);
});

test('an agent that stays is removed; a job outlives its worker\'s connection', async () => {
  const worker = await Worker.start(server, { name: 'stays', stays: true });
  const made = await dispatches.createDispatch('stays', 'stays');
  await until(async () => (await agents('stays')).some((p) => p.state === 2), 8000, 'the agent is there');
  worker.ws.terminate();
  const again = await Worker.start(server, { name: 'stays' });
  again.say({ case: 'migrateJob', value: { jobIds: [worker.jobs[0].id] } });
  assert.equal((await agents('stays')).length, 1);
  const began = Date.now();
  await dispatches.deleteDispatch(made.id, 'stays');
  await until(() => again.ended.includes(worker.jobs[0].id), 2000, 'the worker that came back is told');
  await until(async () => !(await agents('stays')).length, 6000, 'the agent is removed');
  assert.ok(Date.now() - began > 2000, 'it was given time to leave');
  await Promise.all([worker.stop(), again.stop()]);
});

test('strangers are refused, and so is what is no worker', async () => {
  const refusal = async (token) => {
    const ws = new WebSocket(`${server.ws}/agent`, token ? { headers: { authorization: `Bearer ${token}` } } : {});
    return new Promise((resolve) => { ws.on('unexpected-response', (_q, r) => resolve(r.statusCode)); ws.on('open', () => resolve('open')); ws.on('error', () => {}); });
  };
  assert.equal(await refusal(), 401);
  assert.equal(await refusal(await workerToken({ roomJoin: true, room: 'x' })), 401);
  assert.equal(await refusal('nonsense'), 401);
  assert.equal((await fetch(`${server.http}/agent`)).status, 404);
  for (const what of [Buffer.from('\xff\xff\xff'), '{"updateJob": {}}', '{"register": {"type": 77}}']) {
    const ws = new WebSocket(`${server.ws}/agent?access_token=${await workerToken()}`);
    ws.on('open', () => ws.send(what));
    const code = await new Promise((resolve) => ws.on('close', resolve));
    assert.ok([1002, 1008].includes(code), `${what}: ${code}`);
  }
});
