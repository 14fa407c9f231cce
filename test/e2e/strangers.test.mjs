// What strangers send - nonsense on every port, broken frames, broken protobuf, floods of connections - never ends a call.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import dgram from 'node:dgram';
import net from 'node:net';
import { dispose } from '@livekit/rtc-node';
import WebSocket from 'ws';
import { Server, freePorts, until } from './lib/server.mjs';
import { Person, assertTone } from './lib/people.mjs';

let server;
before(async () => { server = await Server.start(); });
after(async () => { await server.stop(); await dispose(); });

// A seeded stream of numbers, so that a failure can be played again.
function randomly(seed) {
  let x = seed >>> 0;
  return (n) => { x = (Math.imul(x, 1664525) + 1013904223) >>> 0; return (x >>> 8) % n; };
}
const STARTS = ['', 'INVITE sip:x SIP/2.0\r\n', 'SIP/2.0 200 OK\r\nVia: ', 'OPTIONS sip:a@b SIP/2.0\r\nContent-Length: 99999999\r\n\r\n', '\x00\x01\x00\x08\x21\x12\xa4\x42',
  '\x80\x00', '\x80\xc8', '\x16\xfe\xfd', '\xbf\xff'];
function nonsense(pick) {
  const head = Buffer.from(STARTS[pick(STARTS.length)], 'latin1');
  return Buffer.concat([head, Buffer.from(Array.from({ length: pick(300) }, () => pick(256)))]);
}

async function throwDatagrams(ports, count, seed) {
  const pick = randomly(seed), socket = dgram.createSocket('udp4');
  for (let i = 0; i < count; i++)
    await new Promise((r) => socket.send(nonsense(pick), ports[i % ports.length], '127.0.0.1', r));
  await new Promise((r) => socket.close(r));
}

const throwBytes = (port, bytes) => new Promise((resolve) => {
  const s = net.connect(port, '127.0.0.1', () => s.end(bytes));
  s.on('error', resolve).on('close', resolve).resume();
  setTimeout(() => s.destroy(), 1000).unref();
});

// A signalling connection of somebody who is let in, then talks nonsense.
async function brokenSession(room, identity, frames) {
  const ws = new WebSocket(`${server.ws}/rtc?protocol=16&sdk=js&auto_subscribe=1&access_token=${await server.token(room, identity)}`);
  await new Promise((resolve, reject) => ws.once('open', resolve).once('error', reject));
  for (const f of frames) if (ws.readyState === WebSocket.OPEN) ws.send(f);
  await new Promise((r) => { ws.once('close', r); setTimeout(() => { ws.terminate(); r(); }, 500); });
}

test('nonsense on every port, broken frames and floods leave the call as it was', async () => {
  const alice = await Person.join(server, 'calm', 'alice');
  await alice.speak(440);
  const dialed = await server.dial('calm', '+12025550116');
  const phone = dialed.json.participant_identity;
  assertTone(await alice.hears(phone), 440, 'the echo before');

  await throwDatagrams([server.sipPort, server.udpPort, server.udpPort + 1, server.simulatorPort], 4000, 1);
  const pick = randomly(2);
  await Promise.all(Array.from({ length: 60 }, () => throwBytes([server.port, server.backendPort, server.sipPort, server.udpPort][pick(4)], nonsense(pick))));
  const offer = Buffer.from([0x0a, 0x0c, 0x0a, 0x05, ...Buffer.from('offer'), 0x12, 0x03, ...Buffer.from('v=0')]);
  await Promise.all([
    brokenSession('calm', 'mallory1', [Buffer.from([0xff, 0xff, 0xff, 0xff])]),
    brokenSession('calm', 'mallory2', [offer, offer, 'not json', '{"offer":{"sdp":7}}']),
    brokenSession('calm', 'mallory3', Array.from({ length: 200 }, () => nonsense(pick))),
    brokenSession('calm', 'mallory4', [Buffer.alloc(3 << 20)]),
  ]);

  assertTone(await alice.hears(phone, { fresh: true }), 440, 'the echo after');
  const there = (await server.rooms.listParticipants('calm')).map((p) => p.identity);
  assert.ok(there.includes('alice') && there.includes(phone), there.join());
  assert.equal((await server.phone('calm')).attributes['sip.callStatus'], 'active');
  await server.post('/livekit/sip/hangup', { room: 'calm', participant_identity: phone });
  await until(async () => !(await server.phone('calm')), 3000, 'the phone is gone');
  await alice.leave();
});

test('a stranger on the SIP port hears nothing', async () => {
  const socket = dgram.createSocket('udp4');
  const answers = [];
  socket.on('message', (_, from) => { answers.push(from.port); });
  await new Promise((r) => socket.bind(0, '127.0.0.2', r));
  const ask = (method) => `${method} sip:100@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.2:${socket.address().port};branch=z9hG4bKscan\r\nFrom: <sip:scan@127.0.0.2>;tag=1\r\n` +
    `To: <sip:100@127.0.0.1>\r\nCall-ID: scan\r\nCSeq: 1 ${method}\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n`;
  for (const method of ['OPTIONS', 'REGISTER', 'INVITE']) await new Promise((r) => socket.send(ask(method), server.sipPort, '127.0.0.1', r));
  // The simulator answers everybody: its answer comes after those that the server would have given.
  await new Promise((r) => socket.send(ask('OPTIONS'), server.simulatorPort, '127.0.0.1', r));
  await until(() => answers.length > 0, 3000, 'the simulator answers');
  assert.deepEqual([...new Set(answers)], [server.simulatorPort]);
  await new Promise((r) => socket.close(r));
});

test('a trunk that asks whether we are there is answered', async () => {
  const [port] = await freePorts(1);
  const socket = dgram.createSocket('udp4');
  let answer;
  socket.on('message', (m) => { answer = String(m); });
  await new Promise((r) => socket.bind(port, '127.0.0.3', r));
  const made = await server.cli(['sip', 'outbound', 'create', JSON.stringify({ trunk: { name: 'asks', address: `127.0.0.3:${port}`, numbers: ['+12025550199'] } })]);
  assert.equal(made.code, 0, made.err);
  const ask = (n) => `OPTIONS sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.3:${port};branch=z9hG4bKask${n}\r\nFrom: <sip:t@127.0.0.3>;tag=1\r\nTo: <sip:127.0.0.1>\r\n` +
    `Call-ID: ask${n}\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n`;
  let n = 0;
  await until(() => { socket.send(ask(n++), server.sipPort, '127.0.0.1'); return answer; }, 5000, 'an answer to OPTIONS');
  assert.match(answer, /^SIP\/2.0 200 /);
  assert.match(answer, /^Allow: .*INVITE/m);
  await new Promise((r) => socket.close(r));
});
