// Who may join, as an operator has set it: rooms that must exist, limits, named settings, keys; told by statuses before any WebSocket.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';
import { AccessToken, RoomServiceClient } from 'livekit-server-sdk';
import { RoomEvent, dispose } from '@livekit/rtc-node';
import WebSocket from 'ws';
import { Server, KEY, SECRET, until } from './lib/server.mjs';
import { Person } from './lib/people.mjs';

const P = createRequire(import.meta.url)('@livekit/protocol');
let server;
after(dispose);

async function token(claims = {}, { key = KEY, secret = SECRET, room = 'r', grant = {} } = {}) {
  const t = new AccessToken(key, secret, { identity: 'ann', ...claims });
  t.addGrant({ roomJoin: true, room, ...grant });
  if (claims.roomPreset) t.roomPreset = claims.roomPreset;
  return t.toJwt();
}

// What a client of the older protocol meets: {status, body}, or the join message and its socket.
function join(jwt, s = server) {
  return new Promise((resolve, reject) => {
    const ws = new WebSocket(`${s.ws}/rtc?access_token=${jwt}&protocol=16&auto_subscribe=1`);
    ws.on('unexpected-response', async (_q, r) => resolve({ status: r.statusCode, body: Buffer.concat(await r.toArray()).toString() }));
    ws.on('message', (data) => resolve({ ws, join: P.SignalResponse.fromBinary(data).message.value }));
    ws.on('error', reject);
  });
}
const validate = async (jwt) => { const r = await fetch(`${server.http}/rtc/validate?access_token=${jwt}`); return { status: r.status, body: await r.text() }; };

const keyFile = () => path.join(server.folder, 'keys.yaml');
function writeKeys(lines) {
  fs.writeFileSync(`${keyFile()}.new`, lines, { mode: 0o600 });
  fs.renameSync(`${keyFile()}.new`, keyFile());
}

before(async () => {
  const folder = fs.mkdtempSync(path.join((await import('node:os')).tmpdir(), 'ringdown-joining-'));
  fs.writeFileSync(path.join(folder, 'keys.yaml'), 'second: another-secret-that-is-long-enough\n', { mode: 0o600 });
  server = await Server.start({ data: folder, yaml: `
key_file: ${folder}/keys.yaml
region: here
room:
  auto_create: false
  enabled_codecs: [{mime: audio/opus}, {mime: audio/PCMA}, {mime: video/VP8}]
  room_configurations:
    tiny: {max_participants: 1, empty_timeout: 33, departure_timeout: 44, metadata: "set by name"}
limit: {max_room_name_length: 20, max_participant_identity_length: 10, max_participant_name_length: 8, max_metadata_size: 30, max_attributes_size: 20, num_tracks: 2, subscription_limit_audio: 1}
` });
});
after(async () => { await server?.stop(); });

test('without auto_create a room must exist, unless the token may create it', async () => {
  const missing = { status: 404, body: 'requested room does not exist' };
  assert.deepEqual(await join(await token({}, { room: 'none' })), missing);
  assert.deepEqual(await validate(await token({}, { room: 'none' })), missing);
  const made = await join(await token({}, { room: 'mine', grant: { roomCreate: true } }));
  assert.equal(made.join.room.name, 'mine');
  made.ws.close();
  await server.rooms.createRoom({ name: 'there' });
  const in_ = await join(await token({}, { room: 'there' }));
  assert.equal(in_.join.participant.identity, 'ann');
  assert.deepEqual(in_.join.room.enabledCodecs.map((c) => c.mime), ['audio/opus', 'audio/PCMA'], 'what we have of what is enabled');
  assert.deepEqual(in_.join.enabledPublishCodecs.map((c) => c.mime), ['audio/opus']);
  assert.deepEqual([in_.join.serverRegion, in_.join.serverInfo.region], ['here', 'here']);
  in_.ws.close();
});

test('names, metadata and attributes beyond the limits are refused with their text', async () => {
  const refused = async (jwt, body) => assert.deepEqual(await join(await jwt), { status: 400, body });
  await server.rooms.createRoom({ name: 'r' });
  await refused(token({ identity: 'x'.repeat(11) }), 'participant identity length exceeds limits: max length 10');
  await refused(token({}, { room: 'x'.repeat(21) }), 'room name length exceeds limits: max length 20');
  await refused(token({ metadata: 'x'.repeat(31) }), 'metadata size exceeds limits');
  await refused(token({ attributes: { a: 'x'.repeat(20) } }), 'attribute size exceeds limits');
  const api = (promise, msg) => assert.rejects(promise, (e) => e.code === 'invalid_argument' && e.message.includes(msg));
  await api(server.rooms.createRoom({ name: 'x'.repeat(21) }), 'room name length exceeds limits: max length 20');
  await api(server.rooms.updateRoomMetadata('r', 'x'.repeat(31)), 'metadata size exceeds limits 30');
  const a = await join(await token());
  await api(server.rooms.updateParticipant('r', 'ann', { name: 'x'.repeat(9) }), 'name length exceeds limits 8');
  await api(server.rooms.updateParticipant('r', 'ann', { attributes: { a: 'x'.repeat(20) } }), 'attribute size exceeds limits 20');
  await server.rooms.updateParticipant('r', 'ann', { name: 'x'.repeat(8), metadata: 'y'.repeat(30), attributes: { a: 'z'.repeat(19) } });
  a.ws.close();
});

test('a token or CreateRoom names settings of a room; an unknown name is refused', async () => {
  const first = await join(await token({ roomPreset: 'tiny' }, { room: 'small', grant: { roomCreate: true } }));
  assert.deepEqual([first.join.room.maxParticipants, first.join.room.emptyTimeout, first.join.room.departureTimeout, first.join.room.metadata], [1, 33, 44, 'set by name']);
  assert.deepEqual(await join(await token({ identity: 'bob' }, { room: 'small' })), { status: 500, body: 'room has exceeded its max participants' });
  first.ws.close();
  assert.deepEqual(await join(await token({ roomPreset: 'no' }, { room: 'other', grant: { roomCreate: true } })),
    { status: 400, body: 'unknown room configuration in create room request' });
  const raw = await fetch(`${server.http}/twirp/livekit.RoomService/CreateRoom`, { method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${await token({}, { grant: { roomCreate: true } })}` },
    body: JSON.stringify({ name: 'byname', room_preset: 'tiny', empty_timeout: 5 }) });
  const made = await raw.json();
  assert.deepEqual([made.empty_timeout, made.departure_timeout, made.max_participants, made.metadata], [5, 44, 1, 'set by name']);
});

test('a new key is made on request, and works', async () => {
  const [, key, secret] = (await server.cli(['generate-keys'])).out.match(/^API Key:  (API\w{12})\nAPI Secret:  (\w{43})\n$/);
  writeKeys(`second: another-secret-that-is-long-enough\n${key}: ${secret}\n`);
  await until(async () => (await join(await token({ identity: 'new' }, { key, secret, room: 'none' }))).status === 404, 5000, 'the new key counts');
});

test('several keys count; one that is taken out of key_file counts no more', async () => {
  const second = { key: 'second', secret: 'another-secret-that-is-long-enough' };
  const seconds = new RoomServiceClient(server.http, second.key, second.secret);
  const here = await join(await token({ identity: 'zoe' }, { ...second, room: 'there' }));
  assert.equal(here.join.participant.identity, 'zoe');
  await seconds.listRooms();
  writeKeys('third: a-third-secret-that-is-long-enough\n');
  server.child.kill('SIGHUP');
  await until(() => /API keys were read again: there are 2/.test(server.log), 3000, 'the keys are read');
  assert.deepEqual(await join(await token({ identity: 'zoe2' }, { ...second, room: 'there' })), { status: 401, body: 'invalid API key' });
  await assert.rejects(seconds.listRooms());
  const third = await join(await token({ identity: 'tim' }, { key: 'third', secret: 'a-third-secret-that-is-long-enough', room: 'there' }));
  assert.equal(third.join.participant.identity, 'tim');
  assert.equal(here.ws.readyState, WebSocket.OPEN, 'who was in stays in');
  fs.chmodSync(keyFile(), 0o604);
  await until(() => /key_file has changed and cannot be used.*others permissions/.test(server.log), 5000, 'the file is looked at without a signal');
  assert.ok(!/secret-that-is/.test(server.log), 'no secret is logged');
  for (const c of [here, third]) c.ws.close();
});

test('one listener hears as many voices as it may; a node with all its tracks lets nobody in', async () => {
  await server.rooms.createRoom({ name: 'loud' });
  const ear = await Person.join(server, 'loud', 'ear');
  const heard = new Set();
  ear.room.on(RoomEvent.TrackSubscribed, (_t, _p, who) => heard.add(who.identity));
  const one = await Person.join(server, 'loud', 'one'), two = await Person.join(server, 'loud', 'two');
  await one.speak(440);
  await until(() => heard.has('one'), 5000, 'the first voice is heard');
  await two.speak(880);
  assert.deepEqual(await join(await token({ identity: 'late' }, { room: 'loud' })), { status: 503, body: 'node has exceeded its configured limit' });
  assert.deepEqual(await validate(await token({ identity: 'late' }, { room: 'loud' })), { status: 503, body: 'node has exceeded its configured limit' });
  await until(() => ear.room.remoteParticipants.get('two')?.trackPublications.size === 1, 5000, 'the second voice is known');
  assert.deepEqual([...heard], ['one']);
  await one.leave();
  await until(() => heard.has('two'), 5000, 'the second voice is heard when the first has gone');
  await two.leave();
  await ear.leave();
});

test('while more media than allowed goes through, nobody joins', async () => {
  const busy = await Server.start({ simulator: false, yaml: 'limit: {num_tracks: -1, bytes_per_sec: 1_000}' });
  try {
    const ann = await Person.join(busy, 'r', 'ann'), bob = await Person.join(busy, 'r', 'bob');
    await ann.speak(440);
    await until(async () => {
      const met = await join(await token({ identity: 'late' }), busy);
      met.ws?.close();
      return met.status === 503 && met.body === 'node has exceeded its configured limit';
    }, 10000, 'the node is full');
    await Promise.all([ann.leave(), bob.leave()]);
    await until(async () => { const met = await join(await token({ identity: 'late' }), busy); met.ws?.close(); return met.join; }, 10000, 'there is room again');
  } finally { await busy.stop(); }
});
