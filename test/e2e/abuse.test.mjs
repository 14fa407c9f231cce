// What a client that was let in may do wrong: it is told so or sent away, and nobody else in the room notices anything.
// All the while bob hears alice, and a third measures how long the server takes to answer.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import { Server, until } from './lib/server.mjs';
import { assertTone } from './lib/people.mjs';
import { watch } from './lib/watch.mjs';
import { openRoom, stopChromium } from './lib/guests.mjs';
import { Peer, Raw, offer } from '../conformance/clients/lib/raw.mjs';

const REMOVED = 4, STATE_MISMATCH = 6, LIMIT_EXCEEDED = 3, NOT_ALLOWED = 2;
let server, t, alice, bob, watcher;

before(async () => {
  server = await Server.start({ simulator: false });
  t = openRoom(server);
  [alice, bob] = await Promise.all(['alice', 'bob'].map((who) => t.join(who, { as: 'node', alone: true })));
  await alice.publish(440);
  await bob.saw('track-subscribed', { who: 'alice' });
  assertTone(await hears('alice'), 440, 'before');
});
after(async () => {
  await t?.dispose();
  await stopChromium();
  await server?.stop();
});

// On a busy machine the clients themselves drop some of it: what counts is that it goes on.
function assertHeard(m) {
  assert.ok(!m.silent && Math.abs(m.freq - 440) < 5 && m.purity > 0.8 && m.gapMs < 0.4 * m.ms, `meanwhile: ${JSON.stringify(m)}`);
}
const hears = (who, by = bob) => by.host.call(by.id, 'hear', { who, seconds: 2 });
const memory = () => Number(fs.readFileSync(`/proc/${server.child.pid}/status`, 'utf8').match(/VmRSS:\s+(\d+)/)[1]) / 1024;

const cpuMs = () => { const f = fs.readFileSync(`/proc/${server.child.pid}/stat`, 'utf8').split(' '); return 10 * (Number(f[13]) + Number(f[14])); };

// Runs `attack` and fails when somebody else was harmed by it. megabytes, cpu: what the server may keep of it, and spend on it
// (ms; unlike the time an answer takes, which must only show that there is one, it does not depend on who else uses the machine).
const harmless = (name, attack, { megabytes = 48, cpu = 4000, slowest = 10000, lines = 20 } = {}) => test(name, async () => {
  const before = memory(), logged = server.log.length, spent = cpuMs();
  watcher = await watch(server.ws, await t.token('watch'));
  let worst;
  try {
    const during = hears('alice');
    during.catch(() => {});
    await attack();
    assertHeard(await during);
    worst = await watcher.worst();
  } finally { await watcher.stop(); }
  assert.ok(cpuMs() - spent < cpu, `it took ${cpuMs() - spent} ms of the processor`);
  if (process.env.VERBOSE) console.log(`${name}: answers within ${worst} ms, ${cpuMs() - spent} ms of the processor, ${Math.round(memory() - before)} MB`);
  assert.ok(worst < slowest, `an answer took ${worst} ms`);
  assert.ok(memory() - before < megabytes, `${Math.round(memory() - before)} MB more than before`);
  const said = server.log.slice(logged).trim().split('\n').length;
  assert.ok(said <= lines, `${said} lines in the log:\n${server.log.slice(logged, logged + 2000)}`);
  const there = (await server.rooms.listParticipants(t.room)).map((p) => p.identity);
  assert.ok(there.includes('alice') && there.includes('bob'), there.join());
});

let number = 0;
async function mallory(options) {
  const m = await Raw.connect(t, `mallory${++number}`, options);
  await m.next('join');
  return m;
}
// It was sent away for good, with the reason.
async function removed(m) {
  assert.deepEqual(((l) => [l.reason, l.action])(await m.next('leave')), [REMOVED, 0]);
  await m.next('closed');
}

harmless('floods of requests: sent away', async () => {
  const pings = await mallory();
  for (let i = 0; i < 3000; i++) pings.send('pingReq', { timestamp: 1n });
  await removed(pings);
  const trickles = await mallory();
  for (let i = 0; i < 4000; i++) trickles.send('trickle', { candidateInit: i % 2 ? 'no JSON' : '{"candidate":"candidate:1 1 udp 1 127.0.0.1 9 typ host","sdpMid":"0","sdpMLineIndex":0}', target: i % 3 });
  await removed(trickles);
  assert.ok(trickles.log.some((m) => m.case === 'requestResponse'), 'the first ones were answered');
  const bytes = await mallory();
  for (let i = 0; i < 12; i++) bytes.send('trickle', { candidateInit: 'x'.repeat(1900000) });
  await bytes.next('closed');
  const many = await Promise.all(Array.from({ length: 2 }, () => mallory()));
  for (const m of many) for (let i = 0; i < 1500; i++) m.send('mute', { sid: `TR_${i}`, muted: true });
  await Promise.all(many.map((m) => m.next('requestResponse', (r) => r.request.value.sid === 'TR_1499')));
  for (const m of many) m.close();
});

harmless('frames that are none, pieces without end, messages that are too large: the socket closes', async () => {
  const codes = [];
  for (const bytes of [Buffer.from([0xff, 0xff, 0xff]), Buffer.alloc(3 << 20), Buffer.alloc(1 << 20, 0xff)]) {
    const m = await mallory();
    m.sendBytes(bytes);
    codes.push((await m.next('closed')).code);
  }
  assert.deepEqual(codes, [1000, 1009, 1000]);
  const pieces = await mallory();
  for (let i = 0; i < 3000 && pieces.ws.readyState === 1; i++) pieces.ws.send(Buffer.from([1]), { fin: false, binary: true });
  assert.equal((await pieces.next('closed')).code, 1009);
  const controls = await mallory();
  for (let i = 0; i < 20000; i++) controls.ws.ping();
  assert.ok(await controls.fence());
  controls.ws._socket.write('GET /rtc HTTP/1.1\r\nHost: x\r\n\r\n'); // a second request on the same socket
  assert.equal((await controls.next('closed')).code, 1002);
});

harmless('descriptions that make no sense: answers to nothing start over, offers are let go', async () => {
  const wrong = [{ type: 'answer', sdp: 'v=0' }, { type: 'answer', sdp: '' }, { type: 'answer', sdp: 'x'.repeat(1 << 20) }];
  for (const answer of wrong) {
    const m = await mallory();
    const { id } = await m.next('offer');
    m.send('answer', { ...answer, id });
    assert.deepEqual(((l) => [l.reason, l.action])(await m.next('leave')), [STATE_MISMATCH, 2]);
    await m.next('closed');
  }
  const other = await mallory();
  const { id } = await other.next('offer');
  other.send('answer', { type: 'answer', sdp: 'v=0', id: id + 1 }); // to an offer that was never made: as if not said
  for (let i = 0; i < 30; i++) {
    other.send('offer', { type: 'offer', sdp: offer(Array.from({ length: 300 }, (_, k) => `audio sendonly c${k}`)).sdp, id: i });
    other.send('offer', { type: 'offer', sdp: offer(['audio sendonly a', 'audio sendonly a']).sdp.replace(/a=mid:1/, 'a=mid:0'), id: i });
    other.send('offer', { type: 'offer', sdp: offer(Array.from({ length: 100 }, (_, k) => `audio sendonly ${i}/${k}`)).sdp.replace(/a=mid:/g, `a=mid:${i}-`), id: i });
  }
  assert.ok(await other.fence());
  assert.equal(other.log.filter((m) => m.case === 'leave').length, 0);
  other.close();
});

harmless('a thousand tracks, thousands of wishes, endless lists of who may hear: to their limits', async () => {
  const tracks = await mallory();
  for (let i = 0; i < 1000; i++) tracks.send('addTrack', { cid: `c${i}`, source: 2 });
  await until(() => tracks.log.filter((m) => ['trackPublished', 'requestResponse'].includes(m.case)).length === 1000, 10000, 'all are answered');
  assert.equal(tracks.log.filter((m) => m.case === 'trackPublished').length, 64);
  assert.ok(tracks.log.filter((m) => m.case === 'requestResponse').every((m) => m.value.reason === LIMIT_EXCEEDED));
  const wishes = await mallory();
  const trackSids = Array.from({ length: 100000 }, (_, i) => `TR_AM${i}`);
  for (let i = 0; i < 3; i++) wishes.send('subscription', { trackSids, subscribe: !(i & 1) });
  assert.ok(await wishes.fence());
  const lists = await mallory();
  const names = (n) => Array.from({ length: n }, (_, i) => ({ participantIdentity: i % 2 ? `p${i}` : 'bob', trackSids: ['TR_x'] }));
  for (let i = 0; i < 60; i++) lists.send('subscriptionPermission', { allParticipants: false, trackPermissions: names(i % 2 ? 500 : 3000) });
  assert.ok(await lists.fence());
  const silent = await mallory({ claims: { canPublish: false } });
  silent.send('addTrack', { cid: 'c', source: 2 });
  assert.equal((await silent.next('requestResponse')).reason, NOT_ALLOWED);
  for (const m of [tracks, wishes, lists, silent]) m.close();
});

harmless('metadata that changes all the time is told now and then', async () => {
  const m = await mallory({ claims: { canUpdateOwnMetadata: true } });
  const before = await watcher.told(), began = Date.now();
  for (let i = 0; i < 25; i++) {
    m.send('updateMetadata', { metadata: `${i}`.padEnd(500000, 'x'), requestId: i + 1 });
    await m.next('requestResponse', (r) => r.requestId === i + 1);
  }
  const witness = await Raw.connect(t, 'witness');
  await witness.next('update', (u) => u.participants.some((p) => p.metadata.startsWith('24x'))).catch(() => {});
  witness.close();
  const told = (await watcher.told()) - before;
  const most = 3e6 + 700 * (Date.now() - began); // 2 MB at once, 256 KB a second, and a batch every 1.2 s
  assert.ok(told >= 500000 && told <= most, `${told} bytes were told`);
  for (let i = 0; i < 1500; i++) m.send('updateMetadata', { name: `n${i}`, requestId: 100 + i });
  await m.next('requestResponse', (r) => r.requestId === 1599);
  m.close();
}, { megabytes: 150 });

harmless('sound and data that nobody announced or allowed go nowhere; so do data channels without end', async () => {
  const m = await Peer.connect(t, 'unannounced', { claims: { canPublishData: false } });
  await m.ready();
  await m.pcs.publisher('pcTone', { freq: 999 });
  await m.negotiate();
  await m.sendData({ value: { case: 'chatMessage', value: { id: 'x', message: 'not allowed' } } }, { times: 200 });
  const page = (await t.host('js')).page;
  await page.evaluate(async () => { // as many as Chromium lets one open
    const [{ pc }] = [...window.agent.connections().values()].slice(-2);
    for (let i = 0; i < 1000; i++) try { pc.createDataChannel(`x${i}`); } catch { break; }
  });
  const spoken = () => page.evaluate(async () => { // packets of sound that have left
    const [{ pc }] = [...window.agent.connections().values()].slice(-2);
    return [...(await pc.getStats()).values()].reduce((n, s) => n + (s.type === 'outbound-rtp' ? s.packetsSent : 0), 0);
  });
  await until(async () => (await spoken()) >= 50, 10000, 'a second of sound has left');
  assert.equal((await t.api.getParticipant(t.room, 'unannounced')).tracks.length, 0);
  const free = await Peer.connect(t, 'nonsense');
  await free.ready();
  await free.sendData({}, { times: 500 });
  await free.sendData({ destinationIdentities: Array.from({ length: 8000 }, (_, i) => `p${i}`), value: { case: 'chatMessage', value: { id: 'x', message: '' } } }, { times: 100 });
  m.send('leave', {});
  free.send('leave', {});
  await Promise.all([m.next('closed'), free.next('closed')]);
});

harmless('who stops reading holds nobody up, and is not hoarded for', async () => {
  const sender = await Peer.connect(t, 'sender');
  const reader = await Peer.connect(t, 'reader');
  await Promise.all([sender.ready(), reader.ready()]);
  const stopped = await t.join('stopped', { as: 'node', alone: true });
  const host = await t.host('node', 'stopped');
  process.kill(host.pid, 'SIGSTOP');
  const payload = new Uint8Array(10000).fill(7);
  const sent = Array.from({ length: 600 }, (_, i) => i + 1); // 6 MB; each in its place
  for (let i = 0; i < sent.length; i += 100)
    await sender.sendData(sent.slice(i, i + 100).map((sequence) => ({ sequence, value: { case: 'user', value: { payload } } })));
  const got = () => reader.log.filter((m) => m.case === 'data').map((m) => m.value.packet.sequence);
  await until(() => got().length === sent.length, 20000, 'the other reader has all');
  assert.deepEqual(got(), sent);
  await stopped.host.kill();
  sender.send('leave', {});
  reader.send('leave', {});
}, { megabytes: 32 });

harmless('a thousand sockets of one address, silent: others come in as before', async () => {
  const silent = await Promise.all(Array.from({ length: 700 }, () => new Promise((r) => { const s = net.connect(server.port, '127.0.0.1', () => r(s)); s.on('error', () => r(s)); })));
  const open = [];
  for (let i = 0; i < 300; i += 50)
    open.push(...await Promise.all(Array.from({ length: 50 }, (_, k) => Raw.connect(t, `silent${i + k}`, { query: { auto_subscribe: '0' } }))));
  const carol = await t.join('carol', { as: 'node' });
  await carol.saw('track-subscribed', { who: 'alice' });
  assertTone(await hears('alice', carol), 440, 'a newcomer hears');
  await carol.leave();
  for (const m of open) m.close();
  for (const s of silent) s.destroy();
  await until(async () => (await server.rooms.listParticipants(t.room)).every((p) => !p.identity.startsWith('silent')), 10000, 'they are gone');
}, { megabytes: 100 });
