// What travels between people, seen from stock clients: RED and Opus, losses, stereo, DTX.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { Server, until } from './lib/server.mjs';
import { LossyLink } from './lib/lossy.mjs';
import { forgetRed, openRoom, pageOf, reachBy, rtpStats, stopChromium } from './lib/guests.mjs';

let server;
// One worker, so that the lossy link knows the port.
before(async () => { server = await Server.start({ simulator: false, yaml: 'workers: 1\n' }); });
after(async () => { await stopChromium(); await server?.stop(); });

const inRoom = (name, body) => test(name, async () => {
  const t = openRoom(server);
  try { await body(t); } finally { await t.dispose(); }
});

inRoom('RED goes to those who take it; the others get the Opus in it, and what was lost on the way is made up for', async (t) => {
  const link = await LossyLink.open(server.udpPort, (n) => n % 8 === 7);
  t.closers.push(() => link.close());
  const page = {};
  for (const name of ['alice', 'bob', 'carol', 'dave', 'erin']) if (name !== 'bob') page[name] = await pageOf(t, name);
  await reachBy(page.alice, server.udpPort, link.port);
  await forgetRed(page.dave);
  await forgetRed(page.erin);
  const alice = await t.join('alice', { alone: true });
  const listeners = [
    await t.join('bob', { as: 'node' }),
    await t.join('carol', { as: 'js', alone: true }), await t.join('dave', { as: 'js', alone: true }),
    await t.join('erin', { as: 'js-v0', alone: true }),
  ];
  await alice.publish(440);
  for (const p of listeners) await p.saw('track-subscribed', { who: 'alice' });
  const heard = await Promise.all(listeners.map((p) => p.hears('alice')));
  assert.deepEqual(heard, listeners.map(() => '440 Hz, clear'));
  assert.equal((await listeners[0].view()).others.alice.tracks[0].mime, 'audio/red');

  // Chromium's statistics do not name RED: it shows in the size of a packet, and in what the decoder need not make up.
  const inbound = async (who) => (await rtpStats(page[who.identity], who.id, 'inbound-rtp'))[0];
  await until(async () => (await inbound(listeners[1])).packetsLost > 5, 10000, 'where RED goes through as it is, what is lost is lost as a packet');
  const size = (s) => s.bytesReceived / s.packetsReceived;
  const [withRed, ...without] = await Promise.all(listeners.slice(1).map(inbound));
  // A busy machine makes a listener stumble once or twice; without copies each loss would be heard.
  const stumbles = (s) => assert.ok(s.concealmentEvents < link.lost / 3, JSON.stringify(s));
  stumbles(withRed);
  for (const plain of without) {
    assert.ok(size(withRed) > 1.7 * size(plain), `${size(withRed)} bytes with RED, ${size(plain)} without`);
    assert.ok(plain.packetsReceived > 100 && plain.packetsLost <= 1, `${plain.packetsLost} lost of ${plain.packetsReceived}`);
    stumbles(plain);
  }
  assert.ok(link.lost > 8, `${link.lost} packets were lost`);
});

// Publishes a track with a tone of its own in each ear.
const publishStereo = (page, id, left, right) => page.evaluate(async ([who, tones]) => {
  const { people, audioContext } = window.agent, ctx = await audioContext();
  const both = new ChannelMergerNode(ctx, { numberOfInputs: 2 });
  const out = new MediaStreamAudioDestinationNode(ctx, { channelCount: 2, channelCountMode: 'explicit' });
  tones.forEach((frequency, ear) => {
    const osc = new OscillatorNode(ctx, { frequency }), gain = new GainNode(ctx, { gain: 0.25 });
    osc.connect(gain).connect(both, 0, ear);
    osc.start();
  });
  both.connect(out);
  const track = new LivekitClient.LocalAudioTrack(out.stream.getAudioTracks()[0], undefined, true);
  await people.get(who).room.localParticipant.publishTrack(track, { source: 'microphone', forceStereo: true });
}, [id, [left, right]]);

// The strongest frequency in each ear, once there is sound.
const hearStereo = (page, id, who) => page.evaluate(async ([me, other]) => {
  const { people, audioContext, publicationOf, listen, analyse } = window.agent, ctx = await audioContext();
  const { track } = publicationOf(people.get(me), other);
  const { ear, stop } = await listen(track.mediaStreamTrack);
  await ear.until(() => ear.onset >= 0, 8000);
  const source = ctx.createMediaStreamSource(new MediaStream([track.mediaStreamTrack])), tap = ctx.createScriptProcessor(4096, 2, 2), ears = [[], []];
  source.connect(tap).connect(ctx.destination);
  await new Promise((done) => {
    tap.onaudioprocess = (e) => { ears.forEach((x, i) => x.push(...e.inputBuffer.getChannelData(i))); if (ears[0].length >= 48000) done(); };
  });
  tap.onaudioprocess = null;
  source.disconnect();
  stop(); // Chromium decodes only what an element plays
  return ears.map((x) => analyse(Float32Array.from(x), 48000));
}, [id, who]);

inRoom('stereo stays stereo, over one connection and over two', async (t) => {
  const alice = await t.join('alice', { as: 'js', alone: true });
  const bob = await t.join('bob', { as: 'js', alone: true }), carol = await t.join('carol', { as: 'js-v0', alone: true });
  await publishStereo(await pageOf(t, 'alice'), alice.id, 440, 880);
  for (const p of [bob, carol]) {
    await p.saw('track-subscribed', { who: 'alice' });
    const [left, right] = await hearStereo(await pageOf(t, p.identity), p.id, 'alice');
    const both = JSON.stringify([left, right]);
    assert.ok(Math.abs(left.freq - 440) < 5 && Math.abs(right.freq - 880) < 9, `${p.identity}: ${both}`);
    // The two ears mixed would be half each; a busy machine makes a browser stumble, which costs some hundredths.
    assert.ok(left.purity > 0.75 && right.purity > 0.75, `${p.identity}: ${both}`);
  }
});

inRoom('silence is hardly sent with DTX, all of it without; and nobody takes it for loss', async (t) => {
  const page = { alice: await pageOf(t, 'alice'), carol: await pageOf(t, 'carol') };
  const alice = await t.join('alice', { as: 'js', alone: true });
  const bob = await t.join('bob', { as: 'node' }), carol = await t.join('carol', { as: 'js', alone: true });
  await alice.publish(440, { key: 'with', dtx: true });
  await alice.publish(660, { key: 'without', dtx: false, source: 'screen_share_audio' });
  for (let i = 0; i < 2; i++) for (const p of [bob, carol]) await p.saw('track-subscribed', { who: 'alice' });
  assert.deepEqual(await Promise.all([bob, carol].map((p) => p.hears('alice', { pick: { source: 'microphone' } }))), ['440 Hz, clear', '440 Hz, clear']);
  for (const key of ['with', 'without']) await alice.loudness({ key, on: false });
  // The encoder takes some frames to believe it.
  const counts = async () => (await rtpStats(page.alice, alice.id, 'outbound-rtp')).sort((a, b) => a.mid - b.mid).map((s) => s.packetsSent);
  const before = await counts();
  let sent;
  await until(async () => (sent = (await counts()).map((n, i) => n - before[i]))[1] > 120, 6000, 'silence is sent without DTX');
  assert.ok(sent[0] < sent[1] / 2, `${sent[0]} packets of silence with DTX, ${sent[1]} without`);
  for (const key of ['with', 'without']) await alice.loudness({ key, on: true });
  assert.equal(await carol.hears('alice', { pick: { source: 'microphone' } }), '440 Hz, clear');
  for (const s of await rtpStats(page.carol, carol.id, 'inbound-rtp')) assert.ok(s.packetsLost < 10, JSON.stringify(s)); // of some sixty that were not sent;
});

inRoom('who mutes is silent at once: the listener makes up no tail of the last sound', async (t) => {
  const page = await pageOf(t, 'bob');
  const alice = await t.join('alice', { as: 'node' }), bob = await t.join('bob', { as: 'js', alone: true });
  await alice.publish(440);
  await bob.saw('track-subscribed', { who: 'alice' });
  await bob.openEar({ who: 'alice' });
  // Samples that were made up and are not silence; some 440 ms of them when the sound just stops.
  const madeUp = async () => { const [s] = await rtpStats(page, bob.id, 'inbound-rtp'); return { silent: s.silentConcealedSamples, audible: s.concealedSamples - s.silentConcealedSamples }; };
  const before = await madeUp();
  await alice.mute({ key: 't1' });
  let now;
  await until(async () => (now = await madeUp()).silent > before.silent + 24000, 5000, 'half a second of silence');
  assert.ok(now.audible - before.audible < 15000, `${now.audible - before.audible} samples of tail`);
  await alice.unmute({ key: 't1' });
  assert.equal(await bob.hears('alice', { seconds: 1 }), '440 Hz, clear');
});
