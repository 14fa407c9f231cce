// The signalling protocol as it is spoken by clients that cannot run here, by clients in trouble, and what they hear then.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { Server, until } from './lib/server.mjs';
import { openRoom, stopChromium } from './lib/guests.mjs';
import { Peer, Raw, P } from '../conformance/clients/lib/raw.mjs';

let server;
before(async () => { server = await Server.start({ simulator: false }); });
after(async () => { await stopChromium(); await server?.stop(); });

const inRoom = (name, body) => test(name, async () => {
  const t = openRoom(server);
  t.tones.add(440).add(550);
  try { await body(t); } catch (e) { e.message += `\n${t.logs.join('\n')}`; throw e; } finally { await t.dispose(); }
});

const bearer = async (t, identity, claims) => ({ Authorization: `Bearer ${await t.token(identity, claims)}` });
const tellsOf = (identity, test = () => true) => (u) => u.participants.some((p) => p.identity === identity && test(p));
// Where a description carries this track.
const midOf = (sdp, sid) => sdp.split(/^(?=m=)/m).find((m) => m.includes(`|${sid} `) || m.includes(` ${sid}\r`))?.match(/^a=mid:(.*)\r$/m)[1];

async function publish(peer, freq) {
  const cid = await peer.pcs.publisher('pcTone', { freq });
  peer.send('addTrack', { cid, source: 2, name: 'mic' });
  const { track } = await peer.next('trackPublished', (p) => p.cid === cid);
  await peer.negotiate();
  return track.sid;
}

const chat = (message, more = {}) => ({ value: { case: 'chatMessage', value: { id: 'c', message } }, ...more });

// ---- other clients' ways ----

inRoom('Swift: two connections, the token in a header; publishing, hearing, data, unsubscribing, leaving', async (t) => {
  const url = `${t.url}/rtc?protocol=16&sdk=swift&version=2.9.0&client_protocol=1&os=iOS&os_version=18.1&device_model=iPhone15%2C2&network=wifi&auto_subscribe=1&adaptive_stream=0`;
  const alice = await Peer.connect(t, 'alice', { url, headers: await bearer(t, 'alice') });
  const bob = await Peer.connect(t, 'bob', { url, headers: await bearer(t, 'bob') });
  assert.equal(bob.log[0].case, 'join');
  const join = bob.log[0].value;
  assert.ok(join.subscriberPrimary && join.pingInterval > 0 && join.pingTimeout > 0);
  assert.deepEqual(join.otherParticipants.map((p) => p.identity), ['alice']);
  await Promise.all([alice.ready(), bob.ready()]);
  await alice.next('update', tellsOf('bob', (p) => p.state === 2));

  const sid = await publish(alice, 440);
  const offer = await bob.next('offer', (o) => midOf(o.sdp, sid));
  const order = bob.log.map((m) => m.value);
  assert.ok(order.indexOf(bob.log.find((m) => m.case === 'update' && tellsOf('alice', (p) => p.tracks[0]?.sid === sid)(m.value)).value) < order.indexOf(offer), 'who it is comes before what it says');
  assert.equal(t.words(await bob.pcs.subscriber('pcHear', { mid: midOf(offer.sdp, sid) })), '440 Hz, clear');
  assert.equal((await alice.next('trackSubscribed')).trackSid, sid);

  await alice.sendData(chat('hello', { participantIdentity: 'somebody else', participantSid: 'PA_liar' }));
  const { label, packet } = await bob.next('data');
  assert.deepEqual([label, packet.value.value.message, packet.participantIdentity], ['_reliable', 'hello', 'alice']);
  assert.equal(packet.participantSid, join.otherParticipants[0].sid);

  bob.send('subscription', { trackSids: [sid], subscribe: false });
  assert.ok(!midOf((await bob.next('offer', (o) => o !== offer && o.sdp.includes('m=audio'))).sdp, sid));
  bob.send('subscription', { participantTracks: [{ participantSid: packet.participantSid, trackSids: [sid] }], subscribe: true });
  const again = await bob.next('offer', (o) => midOf(o.sdp, sid));
  assert.equal(t.words(await bob.pcs.subscriber('pcHear', { mid: midOf(again.sdp, sid) })), '440 Hz, clear');

  bob.send('ping', 1n);
  bob.send('pingReq', { timestamp: 12345n, rtt: 20n });
  await bob.next('pong');
  const pong = await bob.next('pongResp');
  assert.equal(pong.lastPingTimestamp, 12345n);
  assert.ok(Math.abs(Number(pong.timestamp) - Date.now()) < 5000, 'in milliseconds');
  alice.send('leave', { reason: 1, action: 0 });
  assert.equal((await bob.next('update', tellsOf('alice', (p) => p.state === 3))).participants.find((p) => p.identity === 'alice').disconnectReason, 1);
  assert.deepEqual((await alice.next('closed')).code, 1000);
});

inRoom('Swift over one connection: a join request in the standard alphabet whose + arrives as a space, the offer as a message', async (t) => {
  const first = await Peer.connect(t, 'first');
  await first.ready();
  const sid = await publish(first, 550);
  let text;
  for (let i = 0; !text?.includes('+'); i++) {
    const request = new P.JoinRequest({ clientInfo: { sdk: 2, protocol: 16, version: '2.9.0', os: 'iOS', deviceModel: `>>>~~~${i}` }, connectionSettings: { autoSubscribe: true } });
    text = Buffer.from(new P.WrappedJoinRequest({ joinRequest: request.toBinary() }).toBinary()).toString('base64');
  }
  const bob = await Peer.connect(t, 'bob', { path: '/rtc/v1', url: `${t.url}/rtc/v1?join_request=${text}`, headers: await bearer(t, 'bob') });
  assert.equal(bob.log[0].value.subscriberPrimary, false);
  const answer = await bob.ready(2);
  const mid = midOf(answer.sdp, sid);
  assert.equal(answer.midToTrackId[mid], sid);
  assert.equal(t.words(await bob.pcs.publisher('pcHear', { mid })), '550 Hz, clear');
});

// What each sends first: query parameters, where the token is, and which kind of frames.
const FIRST = {
  android: { query: 'protocol=13&sdk=android&version=2.20.0&os=android&os_version=15&device_model=Pixel+8&auto_subscribe=1&adaptive_stream=1&client_protocol=0&network=wifi', header: true },
  flutter: { query: 'auto_subscribe=1&adaptive_stream=0&protocol=15&sdk=flutter&version=2.5.0&network=wifi&os=ios&os_version=18.1&device_model=iPhone' },
  'react native': { query: 'auto_subscribe=1&sdk=reactnative&version=2.9.0&protocol=16&device_model=&os=ios' },
  rust: { query: 'sdk=rust&os=linux&os_version=6&device_model=&protocol=17&client_protocol=2&auto_subscribe=1&adaptive_stream=1&version=0.8.2&capabilities=CAP_PACKET_TRAILER', header: true },
  python: { query: 'sdk=python&protocol=17&auto_subscribe=1&adaptive_stream=0&version=1.0.0', header: true },
  unity: { query: 'sdk=unityweb&protocol=9&auto_subscribe=1&version=1.1.0&text=1', text: true },
  go: { query: 'protocol=12&auto_subscribe=1&sdk=go&version=2.4.0' },
  esp32: { query: 'sdk=esp32&protocol=12&version=0.2&auto_subscribe=false', header: true },
  'an old one': { query: 'protocol=9&auto_subscribe=true' },
};

inRoom('the first words of each kind of client are understood, and the last ones are said as it knows them', async (t) => {
  for (const [name, { query, header, text }] of Object.entries(FIRST)) {
    const identity = name.replace(' ', '-'), token = await t.token(identity);
    const raw = await Raw.open(t, `${t.url}/rtc?${query}${header ? '' : `&access_token=${token}`}`, header ? { Authorization: `Bearer ${token}` } : {});
    const join = await raw.next('join');
    assert.equal(raw.log[0].case, 'join', name);
    assert.equal(join.participant.identity, identity);
    assert.ok(join.serverInfo.version && join.serverVersion && join.subscriberPrimary, name);
    assert.match((await raw.next('offer')).sdp, /m=application/);
    if (text) raw.sendJson('pingReq', { timestamp: 1n });
    else raw.send('pingReq', { timestamp: 1n });
    await raw.next('pongResp');
    assert.equal(raw.log.find((m) => m.case === 'pongResp').text, !!text, `${name}: answered in its kind of frames`);
    await t.api.removeParticipant(t.room, identity);
    const leave = await raw.next('leave'), protocol = Number(query.match(/protocol=(\d+)/)[1]);
    assert.deepEqual([leave.reason, leave.action, leave.canReconnect], [4, 0, false], name);
    // To start over is said by an action since protocol 13, and by a flag before.
    const mad = await Raw.connect(t, `${identity}-mad`, { query: { protocol: String(protocol) } });
    await mad.next('join');
    mad.send('simulate', { scenario: { case: 'leaveRequestFullReconnect', value: true } });
    const over = await mad.next('leave');
    assert.deepEqual([over.action, over.canReconnect], protocol >= 13 ? [2, false] : [0, true], name);
    await mad.next('closed');
  }
});

// ---- trouble ----

for (const path of ['/rtc', '/rtc/v1']) inRoom(`${path}: the socket breaks, much happens, the client resumes and has missed nothing`, async (t) => {
  const bob = await Peer.connect(t, 'bob', { claims: { canUpdateOwnMetadata: true } });
  await bob.ready();
  const gone = await Raw.connect(t, 'gone');
  const alice = await Peer.connect(t, 'alice', { path });
  await alice.ready(2);
  await bob.next('update', tellsOf('alice', (p) => p.state === 2));
  await bob.sendData(chat('one', { sequence: 1 }));
  assert.equal((await alice.next('data')).packet.value.value.message, 'one');

  alice.ws.terminate();
  await alice.next('closed');
  alice.forget();
  gone.send('leave', {});
  await gone.next('closed');
  const came = await Raw.connect(t, 'came');
  await came.next('join');
  bob.send('updateMetadata', { metadata: 'new', attributes: { a: '1' }, requestId: 1 });
  await bob.next('requestResponse');
  await t.api.updateRoomMetadata(t.room, 'of the room');
  await t.api.sendData(t.room, Buffer.from('from the API'), 0, { destinationIdentities: ['alice'] });
  await bob.sendData(chat('two', { sequence: 2 }));
  const sid = await publish(bob, 440);
  // Data does not need the socket: it comes while that is away.
  assert.equal(Buffer.from((await alice.next('data')).packet.value.value.payload).toString(), 'from the API');
  assert.equal((await alice.next('data')).packet.value.value.message, 'two');

  const who = (await t.api.getParticipant(t.room, 'alice')).sid;
  const token = await t.token('alice');
  const q = path === '/rtc' ? `protocol=17&sdk=go&auto_subscribe=1&reconnect=1&sid=${who}&reconnect_reason=1&access_token=${token}`
    : `access_token=${token}&join_request=${Buffer.from(new P.WrappedJoinRequest({ joinRequest: new P.JoinRequest({ reconnect: true, participantSid: who, clientInfo: { protocol: 17 } }).toBinary() }).toBinary()).toString('base64url')}`;
  const from = alice.log.length;
  await Raw.open(t, `${t.url}${path}?${q}`, {}, alice);
  await alice.next('reconnect');
  assert.equal(alice.log[from].case, 'reconnect');
  await alice.next('update', tellsOf('gone', (p) => p.state === 3));
  const present = (await alice.next('update', tellsOf('came'))).participants;
  assert.deepEqual(present.map((p) => p.identity).sort(), ['alice', 'bob', 'came']);
  const b = present.find((p) => p.identity === 'bob');
  assert.deepEqual([b.metadata, b.attributes.a, b.tracks[0].sid], ['new', '1', sid]);
  assert.equal((await alice.next('roomUpdate')).room.metadata, 'of the room');
  alice.send('syncState', { subscription: { subscribe: false } });
  let mid;
  if (path === '/rtc') {
    mid = midOf((await alice.next('offer', (o) => midOf(o.sdp, sid))).sdp, sid);
    await alice.negotiate({ iceRestart: true });
  } else {
    mid = midOf((await alice.negotiate({ iceRestart: true })).sdp, sid);
  }
  assert.equal(t.words(await alice.pcs[path === '/rtc' ? 'subscriber' : 'publisher']('pcHear', { mid })), '440 Hz, clear');
  // What is sent again after a resume is passed on once.
  await bob.sendData(chat('two', { sequence: 2 }));
  await bob.sendData(chat('three', { sequence: 3 }));
  assert.equal((await alice.next('data')).packet.value.value.message, 'three');
  assert.equal(bob.log.filter((m) => m.case === 'update' && tellsOf('alice', (p) => p.state === 3)(m.value)).length, 0, 'nobody saw it leave');
});

inRoom('a client that wants its resumes to fail comes back in the end, and is heard again', async (t) => {
  const bob = await t.join('bob', { as: 'js' });
  const alice = await t.join('alice', { as: 'js' });
  await alice.publish(440);
  await bob.saw('track-subscribed', { who: 'alice' });
  for (const scenario of ['disconnect-signal-on-resume', 'disconnect-signal-on-resume-no-messages']) {
    const before = alice.events.filter((e) => e.ev === 'reconnected').length;
    await alice.simulate({ scenario });
    await until(() => alice.events.filter((e) => e.ev === 'reconnected').length > before, 15000, `${scenario}: reconnected`);
    assert.equal(await bob.hears('alice'), '440 Hz, clear');
  }
  assert.deepEqual(bob.events.filter((e) => e.ev === 'left'), [], 'nobody saw it leave');
});

inRoom('speaker_update: it and those who hear it are told that it speaks, and for how long', async (t) => {
  const bob = await Peer.connect(t, 'bob');
  const alice = await Peer.connect(t, 'alice');
  await Promise.all([alice.ready(), bob.ready()]);
  const { cid } = { cid: await alice.pcs.publisher('pcTone', { freq: 440 }) };
  alice.send('addTrack', { cid, source: 4 });
  await alice.next('trackPublished');
  await alice.negotiate();
  await alice.next('trackSubscribed');
  alice.send('simulate', { scenario: { case: 'speakerUpdate', value: 1 } });
  for (const p of [alice, bob]) {
    const [speaks] = (await p.next('speakersChanged', (s) => s.speakers.some((x) => x.active))).speakers;
    assert.ok(Math.abs(speaks.level - 0.9) < 0.01);
    await p.next('speakersChanged', (s) => s.speakers.some((x) => !x.active && x.sid === speaks.sid));
  }
  for (const [name, value] of [['subscriberBandwidth', 1000n], ['switchCandidateProtocol', 7]]) alice.send('simulate', { scenario: { case: name, value } });
  assert.ok(await alice.fence(), 'what means nothing here ends nothing');
});

inRoom('data tracks and blobs are refused in a way that ends nothing', async (t) => {
  const alice = await Raw.connect(t, 'alice');
  alice.send('publishDataTrackRequest', { pubHandle: 1, name: 'd' });
  const refused = await alice.next('requestResponse');
  assert.deepEqual([refused.reason, refused.request.case, refused.request.value.pubHandle], [2, 'publishDataTrack', 1]);
  alice.send('updateDataSubscription', { updates: [{ trackSid: 'DTR_x', subscribe: true }] });
  alice.send('storeDataBlobRequest', { requestId: 7 });
  assert.deepEqual(((r) => [r.requestId, r.reason])(await alice.next('requestResponse')), [7, 2]);
  alice.send('getDataBlobRequest', { requestId: 8 });
  assert.deepEqual(((r) => [r.requestId, r.reason])(await alice.next('requestResponse')), [8, 11]);
  assert.ok(await alice.fence());
});
