// Every method of RoomService, called with LiveKit's server SDK on rooms where rtc-node clients and a phone are; what counts is what those see and hear.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { DataPacketKind, DisconnectReason, RoomEvent, RpcError, dispose } from '@livekit/rtc-node';
import { AccessToken, DataPacket_Kind, TrackSource } from 'livekit-server-sdk';
import { Server, KEY, SECRET, until } from './lib/server.mjs';
import { Person, assertTone } from './lib/people.mjs';

let server;
before(async () => { server = await Server.start({ yaml: 'room:\n  enable_remote_unmute: true\n' }); });
after(async () => { await server.stop(); await dispose(); });

const refused = (promise, code) => assert.rejects(promise, (e) => { assert.equal(e.code, code, `${e.code}: ${e.message}`); return true; });
// Half a second of sound that comes from now on; of a track that is not `old` (an ear that heard one before).
async function hears(who, whom, old) {
  const ear = await until(() => who.ears.get(whom) !== old && who.ears.get(whom), 8000, `${who.identity} has a track of ${whom}`);
  Object.assign(ear, { parts: [], samples: 0, onset: -1, loud: 0 });
  assertTone(await ear.measure(0.5, 8000), 440, `${who.identity} hears ${whom}`);
  return ear;
}
function silent(who, whom) {
  const ear = who.ears.get(whom);
  return until(async () => { Object.assign(ear, { parts: [], samples: 0, onset: -1, loud: 0 }); return (await ear.measure(0.3, 500)).silent; }, 8000, `${who.identity} hears nothing of ${whom}`);
}

// What the SDK has no method for, or no argument.
async function twirp(method, body, grant = {}) {
  const t = new AccessToken(KEY, SECRET);
  t.addGrant({ roomAdmin: true, room: body.room, ...grant });
  const r = await fetch(`${server.http}/twirp/livekit.RoomService/${method}`, { method: 'POST', headers: { authorization: `Bearer ${await t.toJwt()}`, 'content-type': 'application/json' }, body: JSON.stringify(body) });
  return { status: r.status, ...(await r.json()) };
}

// A person who writes down what happens to it.
async function guest(room, identity, grant) {
  const p = await Person.join(server, room, identity, grant);
  Object.assign(p, { log: [], data: [], reason: undefined });
  p.room.on(RoomEvent.Disconnected, (reason) => { p.reason = reason; });
  p.room.on(RoomEvent.RoomMetadataChanged, (m) => p.log.push(`room ${m}`));
  p.room.on(RoomEvent.ParticipantMetadataChanged, (m, who) => p.log.push(`${who.identity} metadata ${who.metadata}`));
  p.room.on(RoomEvent.ParticipantNameChanged, (n, who) => p.log.push(`${who.identity} name ${who.name}`));
  p.room.on(RoomEvent.ParticipantAttributesChanged, (c, who) => p.log.push(`${who.identity} attributes ${JSON.stringify(Object.entries(who.attributes).sort())}`));
  p.room.on(RoomEvent.TrackMuted, (_t, who) => p.log.push(`${who.identity} muted`));
  p.room.on(RoomEvent.TrackUnmuted, (_t, who) => p.log.push(`${who.identity} unmuted`));
  p.room.on(RoomEvent.TrackUnpublished, (_t, who) => p.log.push(`${who.identity} unpublished`));
  p.room.on(RoomEvent.ParticipantDisconnected, (who) => p.log.push(`${who.identity} left`));
  p.room.on(RoomEvent.DataReceived, (bytes, who, kind, topic) => p.data.push(`${Buffer.from(bytes)} ${kind === DataPacketKind.KIND_RELIABLE ? 'reliable' : 'lossy'} ${topic ?? ''}${who ? ` of ${who.identity}` : ''}`.trim()));
  p.saw = (what) => until(() => p.log.includes(what), 5000, `${identity} sees "${what}"`).catch((e) => { throw new Error(`${e.message}; it saw ${p.log.join(', ')}`); });
  return p;
}

test('CreateRoom, ListRooms, UpdateRoomMetadata, DeleteRoom', async () => {
  const made = await server.rooms.createRoom({ name: 'svc', emptyTimeout: 60, departureTimeout: 30, maxParticipants: 1, metadata: 'first' });
  assert.deepEqual([made.emptyTimeout, made.departureTimeout, made.maxParticipants, made.metadata], [60, 30, 1, 'first']);
  const ann = await guest('svc', 'ann');
  assert.equal(ann.room.metadata, 'first');
  assert.equal((await server.rooms.updateRoomMetadata('svc', 'second')).metadata, 'second');
  await ann.saw('room second');
  const [listed] = await server.rooms.listRooms(['svc']);
  assert.deepEqual([listed.sid, listed.metadata, listed.numParticipants], [made.sid, 'second', 1]);
  assert.equal((await server.rooms.createRoom({ name: 'svc', metadata: 'third' })).sid, made.sid, 'it exists');
  await server.rooms.deleteRoom('svc');
  await until(() => ann.reason !== undefined, 5000, 'ann is told');
  assert.equal(ann.reason, DisconnectReason.ROOM_DELETED);
  assert.deepEqual(await server.rooms.listRooms(['svc']), []);
  await refused(server.rooms.deleteRoom('svc'), 'not_found');
  await refused(server.rooms.updateRoomMetadata('svc', 'x'), 'not_found');
  await refused(server.rooms.createRoom({ name: 'filmed', egress: { tracks: { filepath: 'x' } } }), 'internal');
});

test('ListParticipants, GetParticipant, UpdateParticipant, RemoveParticipant', async () => {
  const ann = await guest('folk', 'ann'), bob = await guest('folk', 'bob');
  await ann.speak(440);
  const ear = await hears(bob, 'ann');
  assert.deepEqual((await server.rooms.listParticipants('folk')).map((p) => p.identity), ['ann', 'bob']);
  const seen = await server.rooms.getParticipant('folk', 'ann');
  assert.deepEqual([seen.tracks.length, seen.isPublisher, seen.permission.canPublish], [1, true, true]);

  const changed = await server.rooms.updateParticipant('folk', 'ann', { name: 'Ann', metadata: 'm', attributes: { a: '1', b: '2' } });
  assert.deepEqual([changed.name, changed.metadata, changed.attributes], ['Ann', 'm', { a: '1', b: '2' }]);
  for (const p of [ann, bob]) for (const what of ['ann name Ann', 'ann metadata m', 'ann attributes [["a","1"],["b","2"]]']) await p.saw(what);
  assert.deepEqual((await server.rooms.updateParticipant('folk', 'ann', { attributes: { a: '', c: '3' } })).attributes, { b: '2', c: '3' });
  const { version } = await server.rooms.getParticipant('folk', 'ann');
  assert.equal((await server.rooms.updateParticipant('folk', 'ann', { permission: { ...seen.permission } })).version, version, 'the same permission is no change');

  // Without the right to subscribe bob is deaf; without that of its microphone ann is dumb.
  await server.rooms.updateParticipant('folk', 'bob', { permission: { canSubscribe: false, canPublish: true, canPublishData: true } });
  await silent(bob, 'ann');
  await server.rooms.updateParticipant('folk', 'bob', { permission: { canSubscribe: true, canPublish: true, canPublishData: true } });
  await hears(bob, 'ann', ear);
  await server.rooms.updateParticipant('folk', 'ann', { permission: { canSubscribe: true, canPublish: true, canPublishSources: [TrackSource.CAMERA] } });
  await bob.saw('ann unpublished');
  assert.equal((await server.rooms.getParticipant('folk', 'ann')).tracks.length, 0);

  await server.rooms.removeParticipant('folk', 'ann');
  await until(() => ann.reason !== undefined, 5000, 'ann is told');
  assert.equal(ann.reason, DisconnectReason.PARTICIPANT_REMOVED);
  await bob.saw('ann left');
  ann.speaking = false;
  await refused(server.rooms.removeParticipant('folk', 'ann'), 'not_found');
  await refused(server.rooms.getParticipant('folk', 'ann'), 'not_found');
  await refused(server.rooms.updateParticipant('folk', 'ann', { name: 'x' }), 'not_found');
  await refused(server.rooms.updateParticipant('folk', 'bob', { name: 'x'.repeat(257) }), 'invalid_argument');
  await bob.leave();
});

test('MutePublishedTrack, UpdateSubscriptions', async () => {
  const ann = await guest('tracks', 'ann'), bob = await guest('tracks', 'bob');
  await ann.speak(440);
  const ear = await hears(bob, 'ann');
  const { sid: annSid, tracks: [{ sid }] } = await server.rooms.getParticipant('tracks', 'ann');
  assert.equal((await server.rooms.mutePublishedTrack('tracks', 'ann', sid, true)).muted, true);
  for (const p of [ann, bob]) await p.saw('ann muted');
  await silent(bob, 'ann');
  assert.equal((await server.rooms.mutePublishedTrack('tracks', 'ann', sid, false)).muted, false);
  await bob.saw('ann unmuted');
  await hears(bob, 'ann');
  await refused(server.rooms.mutePublishedTrack('tracks', 'ann', 'TR_AMnothing', true), 'not_found');
  await refused(server.rooms.mutePublishedTrack('tracks', 'bob', sid, true), 'not_found');

  await server.rooms.updateSubscriptions('tracks', 'bob', [sid], false);
  await silent(bob, 'ann');
  assert.equal((await twirp('UpdateSubscriptions', { room: 'tracks', identity: 'bob', participant_tracks: [{ participant_sid: annSid, track_sids: [sid] }], subscribe: true })).status, 200);
  await hears(bob, 'ann', ear);
  await refused(server.rooms.updateSubscriptions('tracks', 'zoe', [sid], false), 'not_found');
  await Promise.all([ann.leave(), bob.leave()]);
});

test('SendData reaches whom it names, once', async () => {
  const ann = await guest('data', 'ann'), bob = await guest('data', 'bob'), other = await guest('data-2', 'ann');
  const send = (text, kind, options, room = 'data') => server.rooms.sendData(room, Buffer.from(text), kind, options);
  const { RELIABLE, LOSSY } = DataPacket_Kind;
  await send('all', RELIABLE, { topic: 't' });
  await send('bob', RELIABLE, { destinationIdentities: ['bob'] });
  await send('sid', RELIABLE, { destinationSids: [bob.room.localParticipant.sid] });
  await send('both', RELIABLE, { destinationIdentities: ['ann'], destinationSids: [bob.room.localParticipant.sid] });
  await send('old', RELIABLE, [bob.room.localParticipant.sid]);
  await send('nobody', RELIABLE, { destinationIdentities: ['zoe'] });
  const nonce = Buffer.from('0123456789abcdef').toString('base64');
  for (const room of ['data', 'data', 'data-2']) assert.equal((await twirp('SendData', { room, data: Buffer.from('nonce').toString('base64'), nonce })).status, 200);
  await send('end', RELIABLE, {});
  await send('end', RELIABLE, {}, 'data-2');
  for (const p of [ann, bob, other]) await until(() => p.data.includes('end reliable'), 5000, 'the last one');
  assert.deepEqual(ann.data, ['all reliable t', 'both reliable', 'nonce reliable', 'end reliable']);
  assert.deepEqual(bob.data, ['all reliable t', 'bob reliable', 'sid reliable', 'both reliable', 'old reliable', 'nonce reliable', 'end reliable']);
  assert.deepEqual(other.data, ['nonce reliable', 'end reliable'], 'a nonce is a room\'s');
  await send('quick', LOSSY, {});
  await until(() => bob.data.includes('quick lossy'), 5000, 'lossy');
  await refused(send('x', RELIABLE, {}, 'no-such-room'), 'not_found');
  await Promise.all([ann.leave(), bob.leave(), other.leave()]);
});

test('PerformRpc calls a method of a client', async () => {
  const ann = await guest('rpc', 'ann');
  const register = (name, f) => ann.room.localParticipant.registerRpcMethod(name, f);
  register('echo', async ({ payload }) => payload);
  register('refuse', async () => { throw new RpcError(2001, 'not today'); });
  let answer;
  register('sleep', () => new Promise((r) => { answer = r; }));
  const call = (method, payload = '', more = {}) => twirp('PerformRpc', { room: 'rpc', destination_identity: 'ann', method, payload, ...more });
  assert.deepEqual(await call('echo', 'hällo'), { status: 200, payload: 'hällo' });
  const long = 'x'.repeat(15 * 1024);
  assert.equal((await call('echo', long)).payload, long);
  const failed = async (promise, status, code, msg) => { const r = await promise; assert.deepEqual([r.status, r.code], [status, code], JSON.stringify(r)); assert.match(r.msg, msg); };
  await failed(call('refuse'), 500, 'internal', /RpcError 2001: not today/);
  await failed(call('nothing'), 400, 'invalid_argument', /RpcError 1400/);
  await failed(call('echo', `${long}x`), 400, 'invalid_argument', /RpcError 1402/);
  const began = Date.now();
  await failed(call('sleep', '', { response_timeout_ms: 600 }), 408, 'deadline_exceeded', /RpcError 1502/);
  assert.ok(Date.now() - began >= 590 && Date.now() - began < 8000, `${Date.now() - began} ms, not the 600 that were asked for`); // nor the 15 s of who asks for none
  answer?.('late');
  await failed(twirp('PerformRpc', { room: 'rpc', destination_identity: 'zoe', method: 'echo' }), 404, 'not_found', /participant/);
  await ann.leave();
});

test('a phone is a participant like another', async () => {
  const ann = await guest('phone', 'ann'), bob = await guest('phone', 'bob');
  await ann.speak(440);
  const phone = (await server.dial('phone', '+12025550116')).json.participant_identity; // says what it hears
  await hears(bob, phone);
  const { tracks: [{ sid }] } = await server.rooms.getParticipant('phone', 'ann');
  await server.rooms.updateSubscriptions('phone', phone, [sid], false);
  await silent(bob, phone);
  await server.rooms.updateSubscriptions('phone', phone, [sid], true);
  await hears(bob, phone);
  await server.rooms.updateParticipant('phone', phone, { permission: { canSubscribe: false, canPublish: true, canPublishData: true } });
  await silent(bob, phone);

  const changed = await server.rooms.updateParticipant('phone', phone, { name: 'Bank', attributes: { desk: '7' } });
  assert.deepEqual([changed.name, changed.attributes.desk, changed.attributes['sip.callStatus']], ['Bank', '7', 'active']);
  await bob.saw(`${phone} name Bank`);
  await server.rooms.sendData('phone', Buffer.from('hi'), DataPacket_Kind.RELIABLE, { destinationIdentities: [phone] });
  assert.equal((await twirp('PerformRpc', { room: 'phone', destination_identity: phone, method: 'no.such' })).status, 400);
  await server.rooms.removeParticipant('phone', phone);
  await bob.saw(`${phone} left`);
  await Promise.all([ann.leave(), bob.leave()]);
});

test('ForwardParticipant and MoveParticipant are said not to be here', async () => {
  const ann = await guest('here', 'ann');
  for (const move of ['forwardParticipant', 'moveParticipant']) {
    await refused(server.rooms[move]('here', 'ann', 'there'), 'unimplemented');
    await refused(server.rooms[move]('here', 'zoe', 'there'), 'unavailable');
    await refused(server.rooms[move]('here', 'ann', 'here'), 'invalid_argument');
  }
  for (const method of ['ForwardParticipant', 'MoveParticipant'])
    assert.equal((await twirp(method, { room: 'here', identity: 'ann', destination_room: 'there' })).code, 'unauthenticated');
  assert.equal(ann.reason, undefined);
  await ann.leave();
});
