// LiveKit's server SDK pointed at us: trunks, calls, rooms, participants; and the operator's commands over the same API.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { Server, until } from './lib/server.mjs';

let server;
before(async () => { server = await Server.start(); });
after(async () => { await server.stop(); });

test('the SDK creates, lists and deletes outbound trunks', async () => {
  const made = await server.sip.createSipOutboundTrunk('sdk', '127.0.0.1:5999', ['+12025550198'], { authUsername: 'u', authPassword: 'p' });
  assert.match(made.sipTrunkId, /^ST_/);
  const listed = await server.sip.listSipOutboundTrunk();
  assert.ok(listed.some((t) => t.sipTrunkId === made.sipTrunkId && t.name === 'sdk' && t.numbers[0] === '+12025550198'));
  await server.sip.deleteSipTrunk(made.sipTrunkId);
  assert.ok(!(await server.sip.listSipOutboundTrunk()).some((t) => t.sipTrunkId === made.sipTrunkId));
});

test('the SDK calls a phone, waiting or not, and learns the SIP code', async () => {
  const [trunk] = (await server.sip.listSipOutboundTrunk()).filter((t) => t.name === 'simulator');
  const soon = await server.sip.createSipParticipant(trunk.sipTrunkId, '+12025550100', 'sdk-room', { participantIdentity: 'bank', participantName: 'Bank' });
  assert.equal(soon.participantIdentity, 'bank');
  assert.match(soon.sipCallId, /^SCL_/);
  const waited = await server.sip.createSipParticipant(trunk.sipTrunkId, '+12025550101', 'sdk-room-2', { waitUntilAnswered: true });
  const [phone] = await server.rooms.listParticipants('sdk-room-2');
  assert.equal(phone.identity, waited.participantIdentity);
  assert.equal(phone.attributes['sip.callStatus'], 'active');
  await assert.rejects(server.sip.createSipParticipant(trunk.sipTrunkId, '+12025550110', 'sdk-room-3', { waitUntilAnswered: true }),
    (e) => { assert.equal(e.metadata?.sip_status_code ?? e.sipStatusCode?.toString(), '486', JSON.stringify(e)); return true; });
});

test('the SDK lists rooms, removes a participant, deletes a room', async () => {
  const names = (await server.rooms.listRooms()).map((r) => r.name);
  assert.ok(names.includes('sdk-room'), names.join());
  await server.rooms.removeParticipant('sdk-room', 'bank');
  await until(async () => (await server.rooms.listParticipants('sdk-room')).length === 0, 2000, 'bank is gone');
  await server.rooms.deleteRoom('sdk-room-2');
  assert.ok(!(await server.rooms.listRooms()).some((r) => r.name === 'sdk-room-2'));
});

test('an operator makes and lists trunks by file; the password is masked', async () => {
  const file = path.join(server.folder, 'outbound-trunk.json');
  fs.writeFileSync(file, JSON.stringify({ trunk: { name: 'file', address: 'example.pstn.twilio.com', numbers: ['+12025550197'], auth_username: 'user', auth_password: 'hunter2hunter2' } }));
  const made = await server.cli(['sip', 'outbound', 'create', file]);
  assert.equal(made.code, 0, made.err);
  assert.match(made.out, /SIPTrunkID: ST_/);
  const table = await server.cli(['sip', 'outbound', 'list']);
  assert.match(table.out, /SipTrunkID[^]*Name[^]*Address[^]*Transport[^]*Numbers[^]*Authentication/);
  assert.match(table.out, /user \/ \*+/);
  assert.doesNotMatch(table.out + (await server.cli(['sip', 'outbound', 'list', '--json'])).out, /hunter2/);
  assert.equal((await server.cli(['sip', 'outbound', 'create', '{"trunk":{"name":"x"}}'])).code === 0, false);
});

test('LIVEKIT_SIP_TRUNK chooses by name or id; trunks survive a restart and kill -9', async () => {
  const s = await Server.start();
  const made = await s.cli(['sip', 'outbound', 'create', JSON.stringify({ trunk: { name: 'mine', address: `127.0.0.1:${s.simulatorPort}`, numbers: ['+12025550196'], auth_username: 'simulator', auth_password: 'simulator' } })]);
  const id = made.out.match(/ST_\w+/)[0];
  s.wanted = true;
  await s.kill('SIGKILL');
  for (const choice of ['mine', id]) {
    s.options.env = { LIVEKIT_SIP_TRUNK: choice };
    s.code = s.signal = undefined;
    await s.run();
    const dialed = await s.dial('kept', '+12025550101');
    assert.equal(dialed.status, 200, dialed.text);
    assert.equal((await s.phone('kept')).attributes['sip.trunkID'], id);
    s.child.kill('SIGTERM');
    await s.exited;
    assert.equal(s.code, 0, s.log.slice(-2000));
  }
  fs.rmSync(s.folder, { recursive: true, force: true });
});
