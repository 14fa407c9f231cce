// The endpoints an app calls: the curl line of the README, tokens, and every mistake with an answer that says what to fix.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { AccessToken } from 'livekit-server-sdk';
import { Server, until, KEY, SECRET, freePorts } from './lib/server.mjs';

let server, shut;
before(async () => { server = await Server.start(); shut = await Server.start({ dev: false }); });
after(async () => { await server.stop(); await shut.stop(); });

const refused = (r, status, code, sentence) => {
  assert.equal(r.status, status, r.text);
  assert.equal(r.json?.success, false, r.text);
  assert.equal(r.json.error.code, code, r.text);
  assert.match(r.json.error.message, sentence);
};

test('the curl line of the README makes the phone ring in the room', async () => {
  const out = execFileSync('curl', ['-s', '-X', 'POST', `${server.backend}/livekit/sip/outbound`, '-H', 'Content-Type: application/json',
    '-d', '{"room": "your-room-name", "phone_number": "+1234567890"}']);
  const said = JSON.parse(out);
  assert.equal(said.success, true, String(out));
  for (const field of ['participant_identity', 'participant_id', 'room', 'sip_call_id']) assert.ok(said[field], field);
  const phone = await server.phone('your-room-name');
  assert.equal(phone.sid, said.participant_id);
  assert.equal(phone.attributes['sip.callID'], said.sip_call_id);
  await until(async () => (await server.phone('your-room-name'))?.attributes['sip.callStatus'] === 'active', 5000, 'answered');
});

test('mistakes in a request get a code and a sentence that says what to fix', async () => {
  refused(await server.post('/livekit/sip/outbound', '{nonsense'), 400, 'invalid_json', /JSON/);
  refused(await server.post('/livekit/sip/outbound', '[]'), 400, 'invalid_json', /object/);
  refused(await server.post('/livekit/sip/outbound', { phone_number: '+12025550100' }), 400, 'missing_room', /room/);
  refused(await server.post('/livekit/sip/outbound', { room: '', phone_number: '+12025550100' }), 400, 'missing_room', /room/);
  refused(await server.post('/livekit/sip/outbound', { room: 'r' }), 400, 'missing_phone_number', /phone_number/);
  refused(await server.post('/livekit/sip/outbound', { room: 'r', phone_number: 12025550100 }), 400, 'invalid_field', /phone_number/);
  refused(await server.dial('r', '5550100'), 400, 'invalid_phone_number', /5550100[^]*\+/);
  refused(await server.dial('r', '+3712025550'), 403, 'country_not_allowed', /Latvia|\+371/);
  refused(await server.dial('r', '+12025550100', { trunk: 'nobody' }), 404, 'trunk_not_found', /simulator/);
  refused(await server.post('/livekit/sip/outbound', JSON.stringify({ room: 'r', phone_number: '+12025550100', pad: 'x'.repeat(12 << 20) })), 413, 'body_too_large', /./);
  assert.deepEqual((await server.rooms.listRooms(['r'])), []);
});

test('one request never dials twice', async () => {
  const first = await server.dial('once', '+12025550111', {}, { 'idempotency-key': 'k1' });
  const again = await server.dial('once', '+12025550111', {}, { 'idempotency-key': 'k1' });
  assert.equal(again.json.sip_call_id, first.json.sip_call_id);
  refused(await server.dial('once', '+12025550112', {}, { 'idempotency-key': 'k1' }), 422, 'idempotency_key_reused', /Idempotency-Key/);
  refused(await server.dial('once', '+12025550111'), 409, 'already_dialing', /already/);
  assert.equal((await server.rooms.listParticipants('once')).length, 1);
  await server.post('/livekit/sip/hangup', { room: 'once', participant_identity: first.json.participant_identity });
});

test('outside development every endpoint wants a token', async () => {
  refused(await shut.dial('r', '+12025550100'), 401, 'unauthenticated', /token/i);
  refused(await shut.dial('r', '+12025550100', {}, { authorization: 'Bearer nonsense' }), 401, 'unauthenticated', /token/i);
  const wrong = new AccessToken(KEY, 'another secret of another server', { identity: 'app' });
  wrong.addSIPGrant({ call: true });
  refused(await shut.dial('r', '+12025550100', {}, { authorization: `Bearer ${await wrong.toJwt()}` }), 401, 'unauthenticated', /./);
  refused(await shut.dial('r', '+12025550100', {}, { authorization: `Bearer ${await shut.token('r', 'app')}` }), 401, 'unauthenticated', /sip\.call|permission/);
  refused(await shut.post('/livekit/token', { room_name: 'r' }), 401, 'unauthenticated', /token/i);
  const right = new AccessToken(KEY, SECRET, { identity: 'app' });
  right.addSIPGrant({ call: true });
  const dialed = await shut.dial('r', '+12025550111', {}, { authorization: `Bearer ${await right.toJwt()}` });
  assert.equal(dialed.status, 200, dialed.text);
});

test('the token endpoint speaks the shape of the starter apps', async () => {
  const r = await server.post('/livekit/token', { room_name: 'tokens', participant_identity: 'zoe', participant_name: 'Zoe', phone_number: '+12025550100' });
  assert.ok(r.status === 200 || r.status === 201, r.text);
  assert.equal(r.json.server_url, server.ws);
  assert.equal(r.json.room_name, 'tokens');
  assert.equal(r.json.participant_identity, 'zoe');
  assert.equal(r.json.phone_number, '+12025550100');
  const claims = JSON.parse(Buffer.from(r.json.participant_token.split('.')[1], 'base64url'));
  assert.equal(claims.sub, 'zoe');
  assert.equal(claims.video.room, 'tokens');
  assert.equal(claims.video.roomJoin, true);
});

test('an unreachable trunk and wrong credentials end the participant with a sentence', async () => {
  const [dead] = await freePorts(1);
  await server.cli(['sip', 'outbound', 'create', JSON.stringify({ trunk: { name: 'dead', address: `127.0.0.1:${dead}`, numbers: ['+12025550199'] } })]);
  await server.cli(['sip', 'outbound', 'create', JSON.stringify({ trunk: { name: 'wrong', address: `127.0.0.1:${server.simulatorPort}`, numbers: ['+12025550199'], auth_username: 'simulator', auth_password: 'not this' } })]);
  const unreachable = await server.dial('ends', '+12025550100', { trunk: 'dead', wait_until_answered: true, ringing_timeout: 2 });
  assert.equal(unreachable.json.success, false, unreachable.text);
  assert.match(unreachable.json.error.message, /127\.0\.0\.1/);
  const bad = await server.dial('ends', '+12025550100', { trunk: 'wrong', wait_until_answered: true });
  assert.equal(bad.json.success, false, bad.text);
  assert.match(bad.json.error.message, /credential|password|user/i);
  const busy = await server.dial('ends', '+12025550110', { trunk: 'simulator', wait_until_answered: true });
  assert.equal(busy.json.error.sip_status, 486, busy.text);
  const answered = await server.dial('ends', '+12025550101', { trunk: 'simulator', wait_until_answered: true });
  assert.equal(answered.json.success, true, answered.text);
});
