// linphone as the phone: what it does within a call by its own buttons, over TCP and with SRTP, and before one.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { dispose } from '@livekit/rtc-node';
import { analyse } from '../conformance/clients/lib/tone.mjs';
import { Server, until } from './lib/server.mjs';
import { Person, assertTone } from './lib/people.mjs';
import { linphone } from './lib/peers.mjs';

let server;
before(async () => { server = await Server.start({ simulator: false }); });
after(async () => { await server.stop(); await dispose(); });

async function trunk(name, port, more = {}) {
  const r = await server.cli(['sip', 'outbound', 'create', JSON.stringify({ trunk: { name, address: `127.0.0.1:${port}`, numbers: ['+12025550199'], ...more } })]);
  assert.equal(r.code, 0, r.err);
}

const lastHeard = (far) => analyse(far.heard().subarray(-8000), far.rate);
const hearsAlice = (far, what) => until(() => { const t = lastHeard(far); return t.ms > 900 && Math.abs(t.freq - 440) < 9 && t.purity > 0.8; }, 8000, what)
  .catch((e) => { throw new Error(`${e.message}: ${JSON.stringify(lastHeard(far))}\n${far.log}`); });

for (const [name, transport, suite] of [['linphone-tcp', 'tcp', 'AES_CM_128_HMAC_SHA1_80'], ['linphone-udp', 'udp', undefined]]) {
  test(`over ${transport}, ${suite ?? 'in clear'}: it talks, holds, resumes, asks for a transfer and hangs up`, async () => {
    const far = await linphone(server.folder, 620, suite, { transport });
    let alice;
    try {
      await trunk(name, far.port, { transport: `SIP_TRANSPORT_${transport.toUpperCase()}`, media: { encryption: `SIP_MEDIA_ENCRYPT_${suite ? 'REQUIRE' : 'DISABLE'}` } });
      alice = await Person.join(server, name, 'alice');
      await alice.speak(440);
      const dialed = await server.dial(name, '+12025550124', { trunk: name, wait_until_answered: true });
      assert.equal(dialed.json?.success, true, `${dialed.text}\n${far.log}\n${server.log.slice(-3000)}`);
      const phone = dialed.json.participant_identity;
      assertTone(await alice.hears(phone), 620, 'alice hears it');
      await hearsAlice(far, 'it hears alice');

      const began = server.log.length;
      far.say('pause');
      await until(() => /the phone does not hear us/.test(server.log.slice(began)) && /to LinphoneCallPaused/.test(far.log), 5000, 'it holds');
      far.say('resume');
      await until(() => /the phone hears us/.test(server.log.slice(began)), 5000, 'it resumes');
      assertTone(await alice.hears(phone, { fresh: true }), 620, 'alice hears it again');
      await hearsAlice(far, 'it hears alice again');

      // What it asks of us is refused with what we do take, and the call goes on.
      far.say('transfer sip:+12025550177@127.0.0.1');
      await until(() => /^SIP\/2.0 405 [^]*?^Allow: [^\r]*BYE[^]*?from \[LinphoneCallOutgoingInit\] to \[LinphoneCallError\]/m.test(far.log), 5000, 'it is told').catch((e) => { throw new Error(`${e.message}\n${far.log.slice(-3000)}`); });
      assertTone(await alice.hears(phone, { fresh: true }), 620, 'the call goes on');

      far.say('terminate');
      await until(async () => !(await server.phone(name)), 5000, 'the phone leaves the room');
      const record = await until(async () => {
        const { out } = await server.cli(['calls', 'show', dialed.json.sip_call_id, '--json']);
        return out && JSON.parse(out).ending && JSON.parse(out);
      }, 5000, 'the record of the call');
      assert.equal(record.ending.code, 'far_end_hung_up', JSON.stringify(record));
      assert.equal(record.encryption, suite, JSON.stringify(record));
    } finally { await alice?.leave(); await far.stop(); }
  });
}

test('it describes its sound in 183, and is then picked up by hand', async () => {
  const name = 'linphone-early', far = await linphone(server.folder, 620, undefined, { answer: false, early: true });
  let alice;
  try {
    await trunk(name, far.port);
    alice = await Person.join(server, name, 'alice');
    await alice.speak(440);
    const dialed = await server.dial(name, '+12025550124', { trunk: name });
    const phone = dialed.json?.participant_identity;
    await until(() => /SIP\/2.0 183 /.test(far.log), 5000, '183');
    assertTone(await alice.hears(phone), 620, 'its sound before the answer');
    assert.equal((await server.phone(name)).attributes['sip.callStatus'], 'ringing');
    far.say('answer');
    await until(async () => (await server.phone(name)).attributes['sip.callStatus'] === 'active', 5000, 'the answer');
    assertTone(await alice.hears(phone, { fresh: true }), 620, 'alice hears it');
    await hearsAlice(far, 'it hears alice');
    await server.post('/livekit/sip/hangup', { room: name, participant_identity: phone });
    await until(() => /to LinphoneCallReleased/.test(far.log), 5000, 'it sees the end');
  } finally { await alice?.leave(); await far.stop(); }
});
