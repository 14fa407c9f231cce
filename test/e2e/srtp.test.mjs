// SRTP on the phone's side, with baresip at the other end and somebody in between who reads all.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { dispose } from '@livekit/rtc-node';
import { analyse } from '../conformance/clients/lib/tone.mjs';
import { Server, until } from './lib/server.mjs';
import { Person, assertTone } from './lib/people.mjs';
import { baresip, linphone } from './lib/peers.mjs';
import { answer, expect, play, request, sdp } from './lib/script.mjs';
import { Tap, isRtp, overheard } from './lib/tap.mjs';

let server;
before(async () => { server = await Server.start({ env: { LIVEKIT_SIP_MEDIA_TIMEOUT_INITIAL: '2s' } }); });
after(async () => { await server.stop(); await dispose(); });

async function trunk(name, port, encryption, options = {}) {
  const r = await server.cli(['sip', 'outbound', 'create', JSON.stringify({ trunk: {
    name, address: `127.0.0.1:${port}`, numbers: ['+12025550199'], metadata: JSON.stringify({ ringdown: options }),
    media: { encryption: `SIP_MEDIA_ENCRYPT_${encryption}` },
  } })]);
  assert.equal(r.code, 0, r.err);
}

const hears = (t, freq) => Math.abs(t.freq - freq) < 20 && t.purity > 0.8;

// Sound both ways through the tap; returns it, still open, with what it saw.
async function talk(name, encryption, far, options, change) {
  const tap = await Tap.open(far.port, change);
  await trunk(name, tap.port, encryption, options);
  const alice = await Person.join(server, name, 'alice');
  await alice.speak(440);
  try {
    const dialed = await server.dial(name, '+12025550124', { trunk: name, wait_until_answered: true });
    assert.equal(dialed.json?.success, true, `${dialed.text}\n${far.log}\n${server.log.slice(-2000)}`);
    const phone = dialed.json.participant_identity;
    assertTone(await alice.hears(phone), 620, 'alice hears baresip');
    await until(() => far.heard().length > 24000, 5000, 'baresip wrote what it heard');
    await server.post('/livekit/sip/hangup', { room: name, participant_identity: phone });
    await until(() => /terminated|closed|bye/i.test(far.log), 5000, 'baresip sees the end');
    const tone = analyse(far.heard().subarray(8000, 24000), 8000);
    assert.ok(Math.abs(tone.freq - 440) < 9, `baresip hears alice: ${JSON.stringify(tone)}`);
  } finally { await alice.leave(); }
  return tap;
}

const offerOf = (tap) => tap.messages.find((m) => m.fromServer && m.text.startsWith('INVITE')).text;

for (const suite of ['AES_CM_128_HMAC_SHA1_80', 'AES_CM_128_HMAC_SHA1_32', 'AEAD_AES_256_GCM']) {
  test(`REQUIRE with ${suite}: sound both ways, and nobody in between hears it`, async () => {
    const far = await baresip(server.folder, 620, { encryption: 'srtp-mand' });
    let tap;
    try {
      tap = await talk(`require-${suite}`, 'REQUIRE', far, { srtp: { suites: [suite] } });
      assert.match(offerOf(tap), /^m=audio \d+ RTP\/SAVP /m);
      for (const [packets, freq, way] of [[tap.toFar, 440, 'to the phone'], [tap.toServer, 620, 'from it']]) {
        assert.ok(packets.filter(isRtp).length > 100, `${way}: ${packets.length} packets`);
        assert.ok(!hears(overheard(packets), freq), `${way} it is no G.711: ${JSON.stringify(overheard(packets))}`);
        assert.ok(packets.filter(isRtp).every((p) => p.length >= 172 + 4), `${way} each has a tag`);
      }
      const keys = tap.messages.flatMap((m) => [...m.text.matchAll(/inline:([A-Za-z0-9+/=]+)/g)].map((k) => k[1]));
      assert.ok(keys.length >= 2);
      for (const key of keys) assert.ok(!server.log.includes(key), 'no key in the log');
    } finally { tap?.close(); await far.stop(); }
  });
}

test('DISABLE: the same call in clear is heard in between, so the ear is a good one', async () => {
  const far = await baresip(server.folder, 620);
  let tap;
  try {
    tap = await talk('disable', 'DISABLE', far);
    assert.ok(hears(overheard(tap.toFar), 440), JSON.stringify(overheard(tap.toFar)));
    assert.ok(hears(overheard(tap.toServer), 620), JSON.stringify(overheard(tap.toServer)));
  } finally { tap?.close(); await far.stop(); }
});

test('ALLOW towards a phone without SRTP: refused, offered again in clear, and it talks', async () => {
  const far = await baresip(server.folder, 620);
  let tap;
  try {
    tap = await talk('allow', 'ALLOW', far);
    const invites = tap.messages.filter((m) => m.fromServer && m.text.startsWith('INVITE')).map((m) => m.text);
    assert.match(invites[0], /RTP\/SAVP/);
    assert.match(invites.at(-1), /RTP\/AVP/);
    assert.doesNotMatch(invites.at(-1), /a=crypto/);
    assert.ok(tap.messages.some((m) => /^SIP\/2.0 488/.test(m.text)), 'baresip refuses SRTP with 488');
  } finally { tap?.close(); await far.stop(); }
});

test('ALLOW as best effort: keys on RTP/AVP, taken by a phone that knows SRTP', async () => {
  const far = await baresip(server.folder, 620, { encryption: 'srtp' });
  let tap;
  try {
    tap = await talk('best-effort', 'ALLOW', far, { srtp: { offer: 'best_effort' } });
    assert.match(offerOf(tap), /^m=audio \d+ RTP\/AVP .*[^]*a=crypto:1 /m);
    assert.ok(!hears(overheard(tap.toServer), 620) && !hears(overheard(tap.toFar), 440), 'it is encrypted');
  } finally { tap?.close(); await far.stop(); }
});

test('REQUIRE: an answer in clear ends the call, and the sentence says why', async () => {
  const far = await baresip(server.folder, 620, { encryption: 'srtp-mand' });
  const tap = await Tap.open(far.port, (sdp, fromServer) => (fromServer ? sdp : sdp.replace('RTP/SAVP', 'RTP/AVP').replace(/a=crypto:.*\r\n/g, '')));
  try {
    await trunk('clear-answer', tap.port, 'REQUIRE');
    const dialed = await server.dial('clear-answer', '+12025550124', { trunk: 'clear-answer', wait_until_answered: true });
    assert.notEqual(dialed.json?.success, true, dialed.text);
    assert.match(dialed.text, /but without encryption, which this trunk requires/);
    await until(() => /terminated|closed|bye/i.test(far.log), 5000, 'baresip is hung up');
    assert.equal(tap.toFar.filter(isRtp).length, 0, 'nothing was sent in clear');
  } finally { tap.close(); await far.stop(); }
});

test('REQUIRE towards a phone without SRTP: 488, never in clear', async () => {
  const far = await baresip(server.folder, 620);
  const tap = await Tap.open(far.port);
  try {
    await trunk('no-srtp', tap.port, 'REQUIRE');
    const dialed = await server.dial('no-srtp', '+12025550124', { trunk: 'no-srtp', wait_until_answered: true });
    assert.notEqual(dialed.json?.success, true, dialed.text);
    assert.match(dialed.text, /encryption/);
    assert.ok(tap.messages.filter((m) => m.text.startsWith('INVITE')).every((m) => /RTP\/SAVP/.test(m.text)));
  } finally { tap.close(); await far.stop(); }
});

test('a key that was changed on the way: silence, and the call ends with the reason', async () => {
  const far = await baresip(server.folder, 620, { encryption: 'srtp-mand' });
  const swap = (sdp, fromServer) => (fromServer ? sdp : sdp.replace(/inline:(.)/, (_, c) => `inline:${c === 'A' ? 'B' : 'A'}`));
  const tap = await Tap.open(far.port, swap);
  let alice;
  try {
    await trunk('wrong-key', tap.port, 'REQUIRE');
    alice = await Person.join(server, 'wrong-key', 'alice');
    const dialed = await server.dial('wrong-key', '+12025550124', { trunk: 'wrong-key', wait_until_answered: true });
    assert.equal(dialed.json?.success, true, dialed.text);
    await until(() => /media_key .*opens none of them/.test(server.log), 8000, 'the call ends with the reason');
    assert.ok(!alice.ears.get(dialed.json.participant_identity)?.samples || alice.ears.get(dialed.json.participant_identity).onset < 0, 'nothing is heard');
    await until(() => /\d\d+ that SRTP's key did not open/.test(server.log), 5000, 'the leg is closed, and counts them'); // after its last words
  } finally { await alice?.leave(); tap.close(); await far.stop(); }
});

test('linphone with AES-256: sound both ways', async () => {
  const far = await linphone(server.folder, 620, 'AES_256_CM_HMAC_SHA1_80');
  let tap;
  try {
    tap = await talk('linphone', 'REQUIRE', far);
    assert.ok(!hears(overheard(tap.toServer), 620) && !hears(overheard(tap.toFar), 440), 'it is encrypted');
    assert.match(tap.messages.find((m) => !m.fromServer && /a=crypto/.test(m.text)).text, /AES_256_CM_HMAC_SHA1_80/);
  } finally { tap?.close(); await far.stop(); }
});

test('hold and resume under SRTP: the key goes on, and so does the sound', async () => {
  const far = await baresip(server.folder, 620, { encryption: 'srtp-mand', console: true });
  const tap = await Tap.open(far.port), name = 'hold', began = server.log.length;
  let alice;
  try {
    await trunk(name, tap.port, 'REQUIRE');
    alice = await Person.join(server, name, 'alice');
    await alice.speak(440);
    const dialed = await server.dial(name, '+12025550124', { trunk: name, wait_until_answered: true });
    assert.equal(dialed.json?.success, true, dialed.text);
    const phone = dialed.json.participant_identity;
    await until(() => alice.ears.get(phone)?.onset >= 0, 5000, 'alice hears it');
    await far.press('x');
    await until(() => /the phone does not hear us/.test(server.log), 5000, 'it is held');
    await far.press('X');
    await until(() => /the phone hears us/.test(server.log), 5000, 'it is resumed');
    assertTone(await alice.hears(phone, { fresh: true }), 620, 'alice hears baresip again');
    // baresip's bridge plays nothing after a hold, so what it hears is read from its counters: bits a second, sent/received.
    const mark = far.log.length;
    await until(() => (far.log.slice(mark).match(/audio=\d+\/([3-9]\d{4}) /g) ?? []).length > 8, 8000, 'baresip hears on');
    assert.doesNotMatch(far.log, /srtp: failed|authentication|decrypt/i);
    await server.post('/livekit/sip/hangup', { room: name, participant_identity: phone });
    await until(() => /terminated|closed|bye/i.test(far.log), 5000, 'baresip sees the end');
    assert.doesNotMatch(server.log.slice(began), /leg \d+ dropped packets: .* [1-9]\d* that SRTP's key did not open/);
  } finally { await alice?.leave(); tap.close(); await far.stop(); }
});

// What sipp plays of an SBC: new keys, another suite, clear and back, keys that cannot be used.
const K = (n) => Buffer.alloc(30, n).toString('base64');
const secure = (version, line, more = {}) => sdp({ version, ...more }).replace('RTP/AVP', 'RTP/SAVP') + (line ? `a=crypto:${line}\r\n` : '');
const again = (cseq, offer, status, check) => [request('INVITE', cseq, { sdp: offer }), expect.response(status, check), request('ACK', cseq)];
const S80 = 'AES_CM_128_HMAC_SHA1_80', S32 = 'AES_CM_128_HMAC_SHA1_32';
const mind = (first, steps) => [expect.invite(`a=crypto:1 ${S80} inline:`), answer(180), answer(200, { sdp: secure(1, first) }), expect.request('ACK'), ...steps];

for (const [name, encryption, steps] of [
  ['sbc-allow', 'ALLOW', mind(`1 ${S80} inline:${K(1)}|2^31|1:1`, [
    ...again(2, secure(2, `1 ${S80} inline:${K(1)}|2^31|1:1`, { way: 'sendonly' }), 200, [`a=crypto:1 ${S80} inline:`, 'a=recvonly', 'RTP/SAVP']),
    ...again(3, secure(3, `7 ${S32} inline:${K(2)}`), 200, [`a=crypto:7 ${S32} inline:`, 'RTP/SAVP']),
    ...again(4, sdp({ version: 4 }), 200, 'm=audio [0-9]+ RTP/AVP '),
    ...again(5, secure(5, `1 ${S80} inline:${K(3)}`), 200, `a=crypto:1 ${S80} inline:`),
    ...again(6, secure(6, `1 ${S80} inline:${K(3)} UNENCRYPTED_SRTP`), 488, 'Warning: '),
    ...again(7, secure(7, ''), 488, 'Warning: '),
    request('BYE', 8), expect.response(200)])],
  ['sbc-require', 'REQUIRE', mind(`1 ${S80} inline:${K(1)}`, [
    ...again(2, sdp({ version: 2 }), 488, 'Warning: 399 ringdown .SRTP is required'),
    ...again(3, secure(3, `2 ${S80} inline:${K(2)}`), 200, `a=crypto:2 ${S80} inline:`),
    request('BYE', 4), expect.response(200)])],
]) {
  test(`${name}: an SBC changes its mind about keys, by sipp`, async () => {
    const far = await play(name, steps, server.folder);
    try {
      await trunk(name, far.port, encryption);
      const dialed = await server.dial(name, '+12025550126', { trunk: name, wait_until_answered: true });
      assert.equal(dialed.json?.success, true, dialed.text);
      await far.exited;
      assert.equal(far.code, 0, far.messages().slice(-3000));
      const ours = [...far.messages().matchAll(/^a=crypto:\d+ \S+ inline:(\S+)/gm)].map((m) => m[1].split('|')[0]);
      const kept = fs.readdirSync(server.folder).filter((f) => f.startsWith('ringdown.db')).map((f) => fs.readFileSync(`${server.folder}/${f}`, 'latin1')).join('');
      assert.ok(kept.includes(dialed.json.participant_identity) || kept.length > 0);
      for (const key of ours) assert.ok(!server.log.includes(key) && !kept.includes(key), 'no key in the log, none in the records');
      const shown = await server.cli(['calls', 'show', dialed.json.sip_call_id ?? dialed.json.call_id, '--json']);
      assert.equal(JSON.parse(shown.out).encryption, S80);
    } finally { await far.stop(); }
  });
}

test('DTLS-SRTP: keys by a handshake, sound both ways', async () => {
  const far = await baresip(server.folder, 620, { encryption: 'dtls_srtp' });
  let tap;
  try {
    tap = await talk('dtls', 'REQUIRE', far, { media_security: 'dtls' });
    assert.match(offerOf(tap), /^m=audio \d+ UDP\/TLS\/RTP\/SAVP .*[^]*a=fingerprint:sha-256 /m);
    assert.doesNotMatch(offerOf(tap), /a=crypto/);
    assert.ok(!hears(overheard(tap.toServer), 620) && !hears(overheard(tap.toFar), 440), 'it is encrypted');
  } finally { tap?.close(); await far.stop(); }
});
