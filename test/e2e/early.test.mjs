// What is heard before the answer, and what is still said at the end: sipp and baresip are the phones, rtc-node listens.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { dispose } from '@livekit/rtc-node';
import { analyse } from '../conformance/clients/lib/tone.mjs';
import { Server, until } from './lib/server.mjs';
import { Person, assertTone } from './lib/people.mjs';
import { baresip, sipp } from './lib/peers.mjs';

let server;
before(async () => { server = await Server.start(); });
after(async () => { await server.stop(); await dispose(); });

async function trunk(name, port) {
  const r = await server.cli(['sip', 'outbound', 'create', JSON.stringify({ trunk: { name, address: `127.0.0.1:${port}`, numbers: ['+12025550199'] } })]);
  assert.equal(r.code, 0, r.err);
}

const status = async (room) => (await server.phone(room))?.attributes['sip.callStatus'];

test('sipp plays an announcement in 183, then answers without SDP', async () => {
  const far = await sipp('uas_early.xml', server.folder, { freq: 900 });
  try {
    await trunk('early', far.port);
    const alice = await Person.join(server, 'early', 'alice');
    const dialed = await server.dial('early', '+12025550123', { trunk: 'early' });
    const phone = dialed.json.participant_identity;
    assertTone(await alice.hears(phone), 900, 'the announcement, before the answer');
    assert.equal(await status('early'), 'ringing', far.messages());
    await until(async () => (await status('early')) === 'active', 8000, 'the answer');
    assertTone(await alice.hears(phone, { fresh: true }), 900, 'the same source, after an answer without SDP');
    await server.post('/livekit/sip/hangup', { room: 'early', participant_identity: phone });
    await until(() => /BYE sip:/.test(far.messages()), 5000, 'BYE');
    await until(() => alice.statuses.length >= 3, 3000, 'the end is shown');
    assert.deepEqual(alice.statuses.map((s) => s.status), ['ringing', 'active', 'hangup']);
    await alice.leave();
  } finally { await far.stop(); }
});

test('sipp plays an announcement and refuses: it is heard, and the call was never answered', async () => {
  const far = await sipp('uas_early_refused.xml', server.folder, { freq: 700 });
  try {
    await trunk('refused', far.port);
    const alice = await Person.join(server, 'refused', 'alice');
    const dialing = server.dial('refused', '+12025550123', { trunk: 'refused', wait_until_answered: true });
    assertTone(await alice.hears('sip_+12025550123'), 700, 'the announcement');
    const failed = await dialing;
    assert.equal(failed.json?.error?.sip_status, 404, failed.text);
    await until(async () => !(await server.phone('refused')), 3000, 'the phone leaves');
    await until(() => alice.statuses.length >= 2, 3000, 'the end is shown');
    assert.deepEqual(alice.statuses.map((s) => s.status), ['ringing', 'hangup']);
    await alice.leave();
  } finally { await far.stop(); }
});

test('baresip describes its sound in 183 and gets packets before it is picked up', async () => {
  const far = await baresip(server.folder, 620, { mode: 'early' });
  try {
    await trunk('baresip-early', far.port);
    const alice = await Person.join(server, 'soft-early', 'alice');
    const dialed = await server.dial('soft-early', '+12025550124', { trunk: 'baresip-early' });
    const phone = dialed.json.participant_identity;
    await until(() => /incoming rtp for 'audio' established/.test(far.log), 5000, 'RTP at baresip before its answer');
    assert.equal(await status('soft-early'), 'ringing', far.log);
    await server.post('/livekit/sip/hangup', { room: 'soft-early', participant_identity: phone });
    await until(() => /terminated|closed|cancel/i.test(far.log), 5000, 'baresip sees the end');
    await alice.leave();
  } finally { await far.stop(); }
});

test('a ringing tone when it is asked for and nothing else is heard', async () => {
  const alice = await Person.join(server, 'tone', 'alice');
  const dialed = await server.dial('tone', '+12025550111', { trunk: 'simulator', ringback: true });
  assert.equal(dialed.status, 200, dialed.text);
  const ear = await until(() => alice.ears.get(dialed.json.participant_identity), 10000, 'a track');
  const heard = await until(() => { const h = analyse(ear.pcm().subarray(-24000), 48000); return h.level > -40 && h.ms >= 400 && h; }, 12000, 'a tone');
  assert.ok([440, 480].some((f) => Math.abs(heard.freq - f) < 12), JSON.stringify(heard));
  await server.post('/livekit/sip/hangup', { room: 'tone', participant_identity: dialed.json.participant_identity });
  await alice.leave();
});

test('digits that are still being sent are finished before BYE', async () => {
  const far = await baresip(server.folder, 620);
  try {
    await trunk('digits', far.port);
    const dialed = await server.dial('digits', '+12025550124', { trunk: 'digits', dtmf: '135790135790', wait_until_answered: true });
    assert.equal(dialed.json?.success, true, dialed.text);
    await server.post('/livekit/sip/hangup', { room: 'digits', participant_identity: dialed.json.participant_identity });
    await until(async () => !(await server.phone('digits')), 2000, 'the phone leaves the room at once');
    assert.doesNotMatch(far.log, /terminated|closed/i, 'its digits are still under way');
    await until(() => /terminated|closed/i.test(far.log), 5000, 'baresip sees the end');
    assert.equal([...far.log.matchAll(/event: '(.)' \(end=1\)/g)].map((m) => m[1]).join(''), '135790135790', far.log);
  } finally { await far.stop(); }
});
