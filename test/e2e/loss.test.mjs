// A bad line: 5 % of the packets are lost and the others come up to 60 ms late (30 ms of jitter either way, as netem calls it), both ways. What arrives is
// judged twice: by the server's own score (E-model) and by the sound, which is compared with what was said.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { dispose } from '@livekit/rtc-node';
import { Server, until } from './lib/server.mjs';
import { Person } from './lib/people.mjs';
import { baresip } from './lib/peers.mjs';
import { RoughLine } from './lib/rough_line.mjs';
import { compare, makeSpeech, toNarrow } from './lib/speech.mjs';

const SECONDS = 12;
let server, speech;
before(async () => { server = await Server.start(); speech = makeSpeech(server.folder); });
after(async () => { await server.stop(); await dispose(); });

async function call(name, line, far) {
  const made = await server.cli(['sip', 'outbound', 'create', JSON.stringify({ trunk: { name, address: `127.0.0.1:${line.port}`, numbers: ['+12025550199'], media: { codecs: [{ name: 'PCMU' }], only_listed_codecs: true } } })]);
  assert.equal(made.code, 0, made.err);
  const alice = await Person.join(server, name, 'alice');
  const dialed = await server.dial(name, '+12025550124', { trunk: name, wait_until_answered: true });
  assert.equal(dialed.json?.success, true, `${dialed.text}\n${far.log}`);
  const phone = dialed.json.participant_identity;
  await alice.speak(speech.wide);
  const ear = await until(() => alice.ears.get(phone), 5000, 'alice has the phone\'s track');
  await until(() => ear.samples > 48000 * SECONDS && far.heard().length > 8000 * SECONDS, (SECONDS + 6) * 1000, 'enough was heard');
  await server.post('/livekit/sip/hangup', { room: name, participant_identity: phone });
  const shown = await until(async () => { const r = await server.cli(['calls', 'show', dialed.json.sip_call_id, '--json']); const c = r.code === 0 && JSON.parse(r.out); return c?.ending && c; }, 5000, 'the call is in the store');
  await alice.leave();
  return { quality: shown.quality, room: ear.pcm(), phone: far.heard() };
}

async function over(name, { loss, jitterMs }) {
  const far = await baresip(server.folder, 0, { codecs: 'PCMU', wav: speech.file });
  const line = await RoughLine.open(far.port, { loss, jitterMs });
  try { return { ...(await call(name, line, far)), lost: line.lost / line.packets }; } finally { line.close(); await far.stop(); }
}

async function judge(run) {
  const [good, bad] = await Promise.all([over(`good-line-${run}`, { loss: 0, jitterMs: 0 }), over(`bad-line-${run}`, { loss: 0.05, jitterMs: 60 })]);
  // Not before: it takes the time of those who talk.
  for (const r of [good, bad]) {
    Object.assign(r, { toRoom: compare(speech.narrow, toNarrow(r.room, 48000)), toPhone: compare(speech.narrow, r.phone) });
    delete r.room;
    delete r.phone;
  }
  const told = JSON.stringify({ good, bad }, null, 1);
  console.log(told);
  assert.ok(good.quality.mos_in >= 4.3 && good.quality.mos_out >= 4.3, told);
  assert.ok(bad.lost > 0.045 && bad.lost < 0.055, told);
  assert.ok(bad.quality.mos_in >= 3.8 && bad.quality.mos_out >= 3.8, told);
  assert.ok(bad.quality.round_trip_ms > 0 && bad.quality.far_lost > 10 && bad.quality.packets_lost > 10, told);
  for (const way of ['toRoom', 'toPhone']) {
    assert.ok(good[way].similarity > 0.85, told);
    assert.ok(bad[way].similarity > 0.8 && bad[way].similarity > good[way].similarity * 0.87, told);
    // Buffers adapt in the beginning, and to a busy machine; ten minutes without drift are media_leg_long's, by a clock of its own.
    assert.ok(Math.abs(bad[way].driftMs) < 400, told);
  }
}

test('5 % loss and 30 ms of jitter: both scores say that it can be followed', { timeout: 120000 }, async () => {
  // A machine that stalls the relay itself makes another line of it: then once more.
  await judge(1).catch(() => judge(2));
});
