// What a phone and a room hear of each other in the codecs of phones, with phones that we did not write.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { dispose } from '@livekit/rtc-node';
import { analyse } from '../conformance/clients/lib/tone.mjs';
import { Server, until } from './lib/server.mjs';
import { Person, assertTone } from './lib/people.mjs';
import { baresip } from './lib/peers.mjs';

let server;
before(async () => { server = await Server.start(); });
after(async () => { await server.stop(); await dispose(); });

async function trunk(name, port, media) {
  const r = await server.cli(['sip', 'outbound', 'create', JSON.stringify({ trunk: { name, address: `127.0.0.1:${port}`, numbers: ['+12025550199'], media } })]);
  assert.equal(r.code, 0, r.err);
}

// 5200 and 5000 Hz: nothing of that passes a phone line of 8 kHz.
const wide = [
  { name: 'G.722, which is offered first', codecs: 'G722/16000/1', modules: ['g722'], media: undefined, says: 5200, hears: 5000 },
  { name: 'G.722 in packets of 40 ms', codecs: 'G722/16000/1', modules: ['g722'], media: undefined, says: 5200, hears: 5000, ptime: 40 },
  { name: 'Opus, where the trunk lists it', codecs: 'opus/48000/2', modules: ['opus'], media: { codecs: [{ name: 'opus', rate: 48000 }] }, says: 5200, hears: 5000, rate: 48000, channels: 2 },
  { name: 'PCMA in packets of 30 ms', codecs: 'PCMA', modules: ['g711'], media: { codecs: [{ name: 'PCMA' }], only_listed_codecs: true }, says: 700, hears: 900, rate: 8000, ptime: 30 },
];
for (const [at, c] of wide.entries()) {
  test(`baresip speaks ${c.name}`, async () => {
    const room = `wide-${at}`;
    const far = await baresip(server.folder, c.says, { codecs: c.codecs, modules: c.modules, rate: c.rate ?? 16000, ptime: c.ptime ?? 20, channels: c.channels ?? 1 });
    try {
      await trunk(room, far.port, c.media);
      const alice = await Person.join(server, room, 'alice');
      await alice.speak(c.hears);
      const dialed = await server.dial(room, '+12025550124', { trunk: room, wait_until_answered: true });
      assert.equal(dialed.json?.success, true, `${dialed.text}\n${far.log}`);
      assertTone(await alice.hears(dialed.json.participant_identity), c.says, `alice hears ${c.says} Hz`);
      const heard = await until(() => { const pcm = far.heard(); return pcm.length > 2 * far.rate && pcm; }, 8000, 'baresip wrote what it heard');
      const tone = analyse(heard.subarray(far.rate, 2 * far.rate), far.rate);
      assert.ok(Math.abs(tone.freq - c.hears) < c.hears * 0.02, `baresip hears alice: ${JSON.stringify(tone)}`);
      await server.post('/livekit/sip/hangup', { room, participant_identity: dialed.json.participant_identity });
      await alice.leave();
    } finally { await far.stop(); }
  });
}
