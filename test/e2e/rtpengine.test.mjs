// What carriers' media proxies do, by one of them: rtpengine stands between the server and a plain baresip, and speaks towards the server
// SRTP, DTLS with full ICE, rtcp-mux, other codecs and packet times, comfort noise.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { dispose } from '@livekit/rtc-node';
import { analyse, windows } from '../conformance/clients/lib/tone.mjs';
import { Server, until } from './lib/server.mjs';
import { Person, assertTone } from './lib/people.mjs';
import { baresip } from './lib/peers.mjs';
import { RoughLine } from './lib/rough_line.mjs';
import { Gateway, Rtpengine } from './lib/rtpengine.mjs';

const NOISE_DBOV = 30;
let server, engine;
before(async () => {
  server = await Server.start();
  engine = await Rtpengine.start(server.folder, ['--silence-detect=0.05', `--cn-payload=${NOISE_DBOV}`]);
});
after(async () => { await engine?.stop(); await server.stop(); await dispose(); });

const REQUIRE = { encryption: 'SIP_MEDIA_ENCRYPT_REQUIRE' };
const only = (...names) => ({ codecs: names.map((name) => ({ name })), only_listed_codecs: true });
// What a plain phone takes, whatever was offered.
const plain = { 'transport-protocol': 'RTP/AVP', ICE: 'remove', 'rtcp-mux': ['demux'] };

async function trunk(name, port, options, media) {
  const r = await server.cli(['sip', 'outbound', 'create', JSON.stringify({ trunk: {
    name, address: `127.0.0.1:${port}`, numbers: ['+12025550199'], metadata: JSON.stringify({ ringdown: options }), media } })]);
  assert.equal(r.code, 0, r.err);
}

async function recorded(dialed) {
  const shown = async () => { const r = await server.cli(['calls', 'show', dialed.json.sip_call_id, '--json']); return r.code === 0 && JSON.parse(r.out); };
  return until(async () => { const call = await shown(); return call?.ending && call; }, 5000, 'the call is in the store');
}

const hearsTheTone = async ({ alice, phone }, fresh = false) => assertTone(await alice.hears(phone, { fresh }), 620, 'alice hears the phone');

// A call through rtpengine. `check` is asked while it goes on, when the phone has heard alice. Nothing of what came to the server was in
// vain. Returns the call as it was recorded. `line`: what lies between the server and rtpengine.
async function talk(name, { options = {}, media = {}, gateway = {}, phone: how = {}, line }, check = hearsTheTone) {
  const far = await baresip(server.folder, 620, { codecs: 'PCMU', ...how });
  const gate = await Gateway.open(engine, far.port, { toPhone: plain, ...gateway }), began = server.log.length, engineBegan = engine.log.length;
  const rough = line && await RoughLine.open(gate.port, line);
  const alice = await Person.join(server, name, 'alice');
  const told = () => [...gate.errors, ...gate.sdps.map((s) => `${s.fromServer ? 'from' : 'to'} the server:\n${s.fromServer ? s.in : s.out}`), engine.log.slice(-3000), server.log.slice(began)].join('\n');
  try {
    await trunk(name, rough?.port ?? gate.port, options, media);
    await alice.speak(440);
    const dialed = await server.dial(name, '+12025550124', { trunk: name, wait_until_answered: true });
    assert.equal(dialed.json?.success, true, dialed.text);
    const phone = dialed.json.participant_identity;
    await until(() => far.heard().length > 16000, 8000, 'the phone wrote what it heard');
    await check({ gate, alice, phone, far, log: () => server.log.slice(began), engineLog: () => engine.log.slice(engineBegan) });
    await server.post('/livekit/sip/hangup', { room: name, participant_identity: phone });
    await until(() => /terminated|closed|bye/i.test(far.log), 5000, 'the phone sees the end');
    const tone = analyse(far.heard().subarray(4000, 16000), 8000);
    assert.ok(Math.abs(tone.freq - 440) < 9 && tone.purity > 0.8, `the phone hears alice: ${JSON.stringify(tone)}`);
    assert.deepEqual(gate.errors, []);
    const call = await recorded(dialed);
    const dropped = server.log.slice(began).match(/dropped packets: .*/);
    assert.ok(!dropped || /0 of a payload.* 0 repeated, 0 far off, 0 that/.test(dropped[0]), dropped?.[0]);
    return call;
  } catch (e) { throw new Error(`${e.message}\n${told()}`); } finally { await alice.leave(); rough?.close(); await gate.close(); await far.stop(); }
}

test('SDES, our keys with an MKI', async () => {
  const call = await talk('sdes', { options: { srtp: { mki: true } }, media: REQUIRE }, async (t) => {
    await hearsTheTone(t);
    assert.match(t.gate.said, /a=crypto:1 \S+ inline:\S+\|1:1\r/);
    assert.match(t.gate.told, /RTP\/SAVP [^]*a=crypto:1 AES_CM_128_HMAC_SHA1_80/);
    assert.doesNotMatch(t.engineLog(), /invalid SRTC?P/);
  });
  assert.equal(call.encryption, 'AES_CM_128_HMAC_SHA1_80');
});

// rtpengine checks (full ICE, against our half of it) and begins the handshake, or waits for ours. Then it offers anew: the phone holds.
for (const role of ['active', 'passive']) {
  test(`DTLS and full ICE, rtpengine ${role}; hold and resume offered by it`, async () => {
    const toServer = { 'transport-protocol': 'UDP/TLS/RTP/SAVP', DTLS: role, ICE: 'force', 'rtcp-mux': ['require'] };
    const call = await talk(`dtls-${role}`, { options: { media_security: 'dtls' }, media: REQUIRE, phone: { console: true }, gateway: { toServer } }, async (t) => {
      await hearsTheTone(t);
      assert.match(t.gate.said, /a=ice-lite[^]*UDP\/TLS\/RTP\/SAVP [^]*a=setup:actpass/);
      assert.match(t.gate.told, new RegExp(`a=setup:${role}[^]*a=ice-ufrag`));
      await t.far.press('x');
      await until(() => /the phone does not hear us/.test(t.log()), 5000, 'it is held');
      await t.far.press('X');
      await until(() => /the phone hears us/.test(t.log()), 5000, 'it is resumed');
      await hearsTheTone(t, true);
    });
    assert.equal(call.encryption, 'DTLS-SRTP');
  });
}

test('RTCP on the RTP port', async () => {
  await talk('mux', { options: { rtcp_mux: true }, gateway: { toServer: { 'rtcp-mux': ['accept'] } } }, async (t) => {
    await hearsTheTone(t);
    assert.match(t.gate.told, /a=rtcp-mux/);
    // The phone's reports go on to us, and ours to the phone.
    await until(async () => (await t.gate.figures()).totals.RTCP.packets > 0, 6000, 'the phone reports');
  });
});

// rtpengine speaks the codec of our offer, and PCMU to the phone.
for (const codec of ['PCMA', 'G722', 'opus']) {
  test(`${codec}, which rtpengine makes of the phone's PCMU`, async () => {
    const call = await talk(`codec-${codec}`, { media: only(codec), gateway: { toPhone: { ...plain, codec: { mask: ['all'], transcode: ['PCMU'] } } } }, async (t) => {
      await hearsTheTone(t);
      assert.match(t.gate.told, new RegExp(`a=rtpmap:\\d+ ${codec}/`));
    });
    assert.equal(call.codec.name, codec);
  });
}

for (const ptime of [10, 40, 60]) {
  test(`packets of ${ptime} ms both ways`, async () => {
    const toPhone = { ...plain, codec: { mask: ['all'], transcode: ['PCMA'] }, 'ptime-reverse': ptime };
    await talk(`ptime-${ptime}`, { media: only('PCMU'), gateway: { toPhone }, phone: { codecs: 'PCMA' } }, async (t) => {
      await hearsTheTone(t);
      assert.match(t.gate.told, new RegExp(`a=ptime:${ptime}\r`));
      const { packets, bytes } = (await t.gate.fromServer()).stats;
      assert.ok(Math.abs(bytes / packets - 12 - ptime * 8) < 8, `${bytes / packets} bytes a packet`);
    });
  });
}

// The phone says something every other second; rtpengine says in between how loud its silence is (RFC 3389).
test('comfort noise is heard as such, and the voice after it', async () => {
  const wav = path.join(server.folder, 'pauses.wav');
  execFileSync('sox', ['-n', '-r', '8000', '-c', '1', '-b', '16', wav, 'synth', '1', 'sine', '620', 'vol', '0.25', 'pad', '0', '1', 'repeat', '8']);
  const seen = (sdp) => `${sdp.replace(/^(m=audio .*)\r/m, '$1 13\r')}a=rtpmap:13 CN/8000\r\n`;
  const toPhone = { ...plain, codec: { mask: ['all'], transcode: ['PCMA', 'CN'] } };
  await talk('noise', { media: only('PCMU'), gateway: { toPhone, change: seen }, phone: { codecs: 'PCMA', wav } }, async (t) => {
    const ear = await until(() => t.alice.ears.get(t.phone), 5000, 'alice has the phone\'s track');
    await until(() => ear.onset >= 0 && ear.samples - ear.onset > 48000 * 4, 9000, 'alice heard two turns');
    const levels = windows(ear.pcm().subarray(-48000 * 4), 48000);
    const tone = levels.filter((l) => l > -20 && l < -10).length, noise = levels.filter((l) => Math.abs(l + NOISE_DBOV) < 6).length;
    assert.match(t.gate.told, /a=rtpmap:13 CN\/8000/);
    assert.ok(tone > 60 && noise > 60 && tone + noise > 180, `${tone} of 200 windows are the tone, ${noise} are noise: ${levels.map(Math.round)}`);
  });
});

test('SRTP over a line that loses 5 % and delays by 30 ms: good to our ears and to rtpengine\'s', async () => {
  let theirs;
  const call = await talk('rough', { media: { ...REQUIRE, ...only('PCMU') }, line: { loss: 0.05, jitterMs: 60 }, gateway: { toServer: { flags: ['no-rtcp-attribute'] } } }, async (t) => {
    await hearsTheTone(t);
    await until(() => t.far.heard().length > 8000 * 8, 10000, 'eight seconds of it');
    assert.doesNotMatch(t.engineLog(), /invalid SRTC?P/);
    theirs = await until(async () => { const all = await t.gate.opinions(); return all.length === 2 && all; }, 14000, 'rtpengine has an opinion of both directions');
  });
  // What we and rtpengine make of the same reports, each by its own reading of the E-model.
  const ours = [call.quality.mos_in, call.quality.mos_out], told = `${theirs}; ${JSON.stringify(call.quality)}`;
  assert.ok([...ours, ...theirs].every((mos) => mos >= 3.8) && call.quality.packets_lost > 5, told);
  assert.ok(ours.every((mos) => theirs.every((other) => Math.abs(mos - other) < 0.4)), told);
  console.log(`MOS ${ours} by us, ${theirs} by rtpengine`);
});
