// Several tracks of one participant, in any order, from stock clients; who may hear them; and what is refused.
import { describe, test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { Server } from './lib/server.mjs';
import { Peer, Raw, sections as shape } from '../conformance/clients/lib/raw.mjs';
import { openRoom, pageOf, stopChromium } from './lib/guests.mjs';

let server;
before(async () => { server = await Server.start({ simulator: false, yaml: 'room:\n  enable_remote_unmute: true\n' }); });
after(async () => { await stopChromium(); await server?.stop(); });

// What happens in a room is mostly waiting, so some go on at a time.
const cases = [], inRoom = (name, body) => cases.push([name, body]);

const TRACKS = [
  [440, { key: 'mic', trackName: 'mic', source: 'microphone' }],
  [660, { key: 'screen', trackName: 'screen', source: 'screen_share_audio' }],
  [880, { key: 'music', trackName: 'music', source: 'unknown' }],
  [550, { key: 'second', trackName: 'second', source: 'microphone' }], // the same source twice
];
const hearsAll = async (who, whom, wanted) => {
  const heard = await Promise.all(wanted.map(([, o]) => who.hears(whom, { pick: { name: o.trackName }, seconds: 1 })));
  assert.deepEqual(heard, wanted.map(([f]) => `${f} Hz, clear`), `${who.identity} hears ${whom}`);
};
const sections = (page, id) => page.evaluate((who) => {
  const m = window.agent.people.get(who).room.engine.pcManager;
  return (m.subscriber ?? m.publisher).getTransceivers().length;
}, id);

for (const as of ['js', 'js-v0', 'node'])
  inRoom(`four tracks at once, one taken away, another put in its place (${as})`, async (t) => {
    const alice = await t.join('alice', { as });
    const bob = await t.join('bob', { as: as === 'node' ? 'js' : 'node' }), carol = await t.join('carol', { as: 'js-v0', alone: true });
    const all = [bob, carol];
    await Promise.all(TRACKS.map(([f, o]) => alice.publish(f, o)));
    for (const p of all) for (const [, o] of TRACKS) await p.saw('track-subscribed', { who: 'alice', name: o.trackName });
    await Promise.all(all.map((p) => hearsAll(p, 'alice', TRACKS)));
    const before = await sections(await pageOf(t, 'carol'), carol.id);

    await alice.unpublish({ key: 'screen' });
    for (const p of all) await p.saw('track-unpublished', { who: 'alice', name: 'screen' });
    await alice.publish(990, { key: 'screen2', trackName: 'screen2', source: 'screen_share_audio' });
    for (const p of all) await p.saw('track-subscribed', { who: 'alice', name: 'screen2' });
    const now = [...TRACKS.filter(([, o]) => o.key !== 'screen'), [990, { trackName: 'screen2' }]];
    await Promise.all(all.map((p) => hearsAll(p, 'alice', now)));
    assert.equal(await sections(await pageOf(t, 'carol'), carol.id), before, 'the m-line of the one is used for the other');
    const [info] = (await server.rooms.listParticipants(t.room)).filter((p) => p.identity === 'alice');
    assert.equal(info.tracks.length, 4);
    assert.equal(new Set(info.tracks.map((x) => x.mid)).size, 4);
  });

for (const as of ['js', 'node'])
  inRoom(`the API mutes, and where the server allows it unmutes (${as})`, async (t) => {
    const alice = await t.join('alice', { as }), bob = await t.join('bob', { as: 'node' });
    await alice.publish(440, { key: 'mic' });
    await bob.saw('track-subscribed', { who: 'alice' });
    const sid = await alice.sid({ key: 'mic' });
    assert.equal((await t.api.mutePublishedTrack(t.room, 'alice', sid, true)).muted, true);
    await alice.saw('track-muted', { who: 'alice' });
    await bob.saw('track-muted', { who: 'alice' });
    assert.equal(await t.silence(() => bob.hears('alice', { patience: 1000, seconds: 1 })), 'silence');
    assert.equal((await t.api.mutePublishedTrack(t.room, 'alice', sid, false)).muted, false);
    await bob.saw('track-unmuted', { who: 'alice' });
    assert.equal(await bob.hears('alice', { seconds: 1 }), '440 Hz, clear');
  });

// Asks livekit-client for the camera; resolves with what the server said about it, and how the app's call ended (the SDK waits
// 10 s for a track that is announced, whatever it is told meanwhile).
const askForCamera = (page, id) => page.evaluate((who) => {
  const { room } = window.agent.people.get(who), began = performance.now();
  const answer = new Promise((r) => room.engine.on('signalRequestResponse', (m) => r({ reason: m.reason, message: m.message,
    request: m.request.case, type: m.request.value?.type, ms: performance.now() - began })));
  window.camera = room.localParticipant.setCameraEnabled(true).then(() => 'published', (e) => e.message);
  return answer;
}, id);

inRoom('a camera is refused at once and in words, and the microphone goes on', async (t) => {
  const bob = await t.join('bob', { as: 'node' });
  const people = [await t.join('one', { as: 'js', alone: true }), await t.join('two', { as: 'js-v0', alone: true })];
  const UNSUPPORTED_TYPE = 5, VIDEO = 1;
  await Promise.all(people.map(async (p, i) => {
    const page = await pageOf(t, p.identity);
    await page.context().grantPermissions(['camera', 'microphone']);
    await p.publish(440 + 220 * i);
    await bob.saw('track-subscribed', { who: p.identity });
    const said = await askForCamera(page, p.id);
    assert.deepEqual([said.reason, said.request, said.type], [UNSUPPORTED_TYPE, 'addTrack', VIDEO], JSON.stringify(said));
    assert.match(said.message, /video/);
    assert.ok(said.ms < 8000, `answered after ${said.ms} ms`); // before the SDK gives up
    assert.equal(await bob.hears(p.identity), `${440 + 220 * i} Hz, clear`);
    assert.match(await page.evaluate(() => window.camera), /timed out/);
    assert.equal(await bob.hears(p.identity), `${440 + 220 * i} Hz, clear`, 'after the SDK gave up and offered again');
    assert.equal((await p.view()).state, 'connected');
  }));
  const tracks = (await server.rooms.listParticipants(t.room)).flatMap((p) => p.tracks.map((x) => x.source));
  assert.deepEqual(tracks, [2, 2], 'two microphones are all there is');
});

for (const path of ['/rtc', '/rtc/v1'])
  inRoom(`a client that offers its video all the same is answered that it is not taken (${path})`, async (t) => {
    const bob = await t.join('bob', { as: 'node' });
    const alice = await Peer.connect(t, 'alice', { path });
    await alice.ready();
    const [video, mic] = [await alice.pcs.publisher('pcVideo'), await alice.pcs.publisher('pcTone', { freq: 440 })];
    t.tones.add(440);
    alice.send('addTrack', { cid: video, type: 1, source: 1 });
    alice.send('addTrack', { cid: mic, source: 2 });
    assert.equal((await alice.next('requestResponse')).request.value.cid, video);
    assert.equal((await alice.next('trackPublished')).cid, mic);
    assert.deepEqual(shape((await alice.negotiate()).sdp), ['application sendrecv', 'video inactive', 'audio recvonly opus']);
    await bob.saw('track-subscribed', { who: 'alice' });
    assert.equal(await bob.hears('alice'), '440 Hz, clear');
  });

inRoom('m-lines find their tracks by name, by what is left, and when they are used again', async (t) => {
  [440, 550, 660].forEach((f) => t.tones.add(f));
  const bob = await t.join('bob', { as: 'node' });
  const alice = await Peer.connect(t, 'alice', { path: '/rtc/v1' });
  await alice.ready();
  const [, second] = [await alice.pcs.publisher('pcTone', { freq: 440 }), await alice.pcs.publisher('pcTone', { freq: 550 })];
  alice.send('addTrack', { cid: second, name: 'second', source: 2 });
  alice.send('addTrack', { cid: 'a name that the browser changed', name: 'first', source: 2 });
  await alice.negotiate();
  for (const [name, freq] of [['first', 440], ['second', 550]]) {
    await bob.saw('track-subscribed', { who: 'alice', name });
    assert.equal(await bob.hears('alice', { pick: { name }, seconds: 1 }), `${freq} Hz, clear`);
  }
  await alice.pcs.publisher('pcUnpublish');
  await alice.negotiate();
  await bob.saw('track-unpublished', { who: 'alice', name: 'second' });
  const lines = shape((await alice.negotiate()).sdp).length;
  alice.send('addTrack', { cid: await alice.pcs.publisher('pcToneAgain', { freq: 660 }), name: 'third', source: 2 });
  assert.equal(shape((await alice.negotiate()).sdp).length, lines, 'no new m-line');
  await bob.saw('track-subscribed', { who: 'alice', name: 'third' });
  assert.equal(await bob.hears('alice', { pick: { name: 'third' }, seconds: 1 }), '660 Hz, clear');
});

inRoom('who takes none of our codecs is told', async (t) => {
  const bob = await t.join('bob', { as: 'node' });
  const deaf = await Peer.connect(t, 'deaf');
  const send = deaf.send.bind(deaf); // its browser takes Opus, but its answers say otherwise
  deaf.send = (kind, m) => send(kind, kind === 'answer' ? { ...m, sdp: m.sdp.replace(/opus\/48000/g, 'G729/8000').replace(/red\/48000/g, 'L16/8000') } : m);
  await deaf.ready();
  await bob.publish(440);
  const SE_CODEC_UNSUPPORTED = 1;
  const { trackSid, err } = await deaf.next('subscriptionResponse');
  assert.deepEqual([trackSid, err], [await bob.sid({ key: 't1' }), SE_CODEC_UNSUPPORTED]);
});

inRoom('64 tracks are announced, the next ones refused in words', async (t) => {
  const LIMIT_EXCEEDED = 3, alice = await Raw.connect(t, 'alice');
  for (let i = 0; i < 66; i++) alice.send('addTrack', { cid: `c${i}`, source: 2 });
  for (let i = 0; i < 64; i++) assert.equal((await alice.next('trackPublished')).cid, `c${i}`);
  for (const cid of ['c64', 'c65']) {
    const { reason, message, request } = await alice.next('requestResponse');
    assert.deepEqual([request.value.cid, reason], [cid, LIMIT_EXCEEDED]);
    assert.match(message, /too many tracks/);
  }
});

describe('rooms', { concurrency: 3 }, () => {
  for (const [name, body] of cases)
    test(name, async () => {
      const t = openRoom(server);
      try { await body(t); } finally { await t.dispose(); }
    });
});
