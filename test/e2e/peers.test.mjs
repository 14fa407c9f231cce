// Telephones that we did not write: sipp challenging with 407 (MD5) and 401 (SHA-256), baresip as the phone.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { dispose } from '@livekit/rtc-node';
import { createHash } from 'node:crypto';
import { analyse } from '../conformance/clients/lib/tone.mjs';
import { Server, until } from './lib/server.mjs';
import { Person, assertTone } from './lib/people.mjs';
import { baresip, sipp } from './lib/peers.mjs';

let server;
before(async () => { server = await Server.start(); });
after(async () => { await server.stop(); await dispose(); });

// RFC 7616, 3.4.1, reckoned here from what sipp traced: a second pair of eyes on the digest.
function digestFits(line, hash) {
  const field = (name) => line.match(new RegExp(`[ ,]${name}="?([^",]+)`))?.[1];
  const h = (text) => createHash(hash).update(text).digest('hex');
  const a1 = h(`alice:${field('realm')}:secret`), a2 = h(`INVITE:${field('uri')}`);
  return field('response') === h([a1, field('nonce'), field('nc'), field('cnonce'), field('qop'), a2].join(':'));
}

async function trunk(name, port, more = {}) {
  const r = await server.cli(['sip', 'outbound', 'create', JSON.stringify({ trunk: { name, address: `127.0.0.1:${port}`, numbers: ['+12025550199'], ...more } })]);
  assert.equal(r.code, 0, r.err);
}

for (const [scenario, header, algorithm] of [['uas407b.xml', 'Proxy-Authorization', /algorithm=MD5/i], ['uas401sha.xml', 'Authorization', /algorithm=SHA-256/]]) {
  test(`sipp challenges (${scenario}), is answered, talks and is hung up`, async () => {
    const far = await sipp(scenario, server.folder);
    try {
      await trunk(scenario, far.port, { auth_username: 'alice', auth_password: 'secret' });
      const room = `sipp-${scenario}`;
      const dialed = await server.dial(room, '+12025550123', { trunk: scenario, wait_until_answered: true });
      assert.equal(dialed.json?.success, true, `${dialed.text}\n${far.messages()}`);
      assert.equal((await server.phone(room)).attributes['sip.callStatus'], 'active');
      const alice = await Person.join(server, room, 'alice');
      await alice.speak(500);
      assertTone(await alice.hears(dialed.json.participant_identity), 500, 'sipp echoes what it hears');
      await server.post('/livekit/sip/hangup', { room, participant_identity: dialed.json.participant_identity });
      await until(() => /BYE sip:/.test(far.messages()), 5000, 'BYE reaches sipp');
      const sent = far.messages();
      assert.match(sent, new RegExp(`^${header}: Digest .*`, 'm'));
      const [line] = sent.match(new RegExp(`^${header}: Digest .*`, 'm'));
      assert.match(line, algorithm);
      assert.ok(digestFits(line, /SHA-256/.test(line) ? 'sha256' : 'md5'), line);
      await alice.leave();
    } finally { await far.stop(); }
  });
}

test('baresip is the phone: sound both ways, and it sees the hang-up', async () => {
  const far = await baresip(server.folder, 620);
  try {
    await trunk('baresip', far.port);
    const alice = await Person.join(server, 'soft', 'alice');
    await alice.speak(440);
    const dialed = await server.dial('soft', '+12025550124', { trunk: 'baresip', wait_until_answered: true });
    assert.equal(dialed.json?.success, true, `${dialed.text}\n${far.log}`);
    const phone = dialed.json.participant_identity;
    assertTone(await alice.hears(phone), 620, 'alice hears baresip');
    await server.post('/livekit/sip/hangup', { room: 'soft', participant_identity: phone });
    await until(() => /terminated|closed|bye/i.test(far.log), 5000, 'baresip sees the end');
    const heard = await until(() => { const pcm = far.heard(); return pcm.length > 16000 && pcm; }, 5000, `baresip wrote what it heard`).catch(async (e) => { throw new Error(`${e.message}: ${(await import('node:fs')).readdirSync(far.home)}\n${far.log.slice(-1500)}`); });
    const middle = heard.subarray(8000, Math.min(heard.length, 24000));
    const tone = analyse(middle, 8000);
    assert.ok(Math.abs(tone.freq - 440) < 9, `baresip hears alice: ${JSON.stringify(tone)}`);
    await alice.leave();
  } finally { await far.stop(); }
});
