// Webhooks as an operator's server takes them: verified with LiveKit's own receiver, in order, again after trouble.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import os from 'node:os';
import path from 'node:path';
import { WebhookReceiver } from 'livekit-server-sdk';
import { KEY, SECRET, Server, freePorts, until } from './lib/server.mjs';

// answer(event, count): the status for it; undefined = leave it hanging.
async function sink(answer = () => 200, secure, port = 0) {
  const receiver = new WebhookReceiver(KEY, SECRET), s = { events: [], tries: 0 };
  const handle = (req, res) => {
    const parts = [];
    req.on('data', (d) => parts.push(d)).on('end', async () => {
      const event = await receiver.receive(Buffer.concat(parts).toString(), req.headers.authorization);
      const status = answer(event, ++s.tries);
      if (!status) return;
      if (status < 300) s.events.push(event);
      res.writeHead(status).end('seen');
    });
  };
  const server = secure ? https.createServer(secure, handle) : http.createServer(handle);
  await new Promise((r) => server.listen(port, '127.0.0.1', r));
  s.port = server.address().port;
  s.url = `http${secure ? 's' : ''}://127.0.0.1:${s.port}/hook`;
  s.close = () => new Promise((r) => { server.close(r); server.closeAllConnections(); });
  s.of = (room) => s.events.filter((e) => e.room.name === room).map((e) => e.event);
  return s;
}
const yaml = (...sinks) => `webhook:\n  api_key: ${KEY}\n  urls: [${sinks.map((s) => `"${s.url ?? s}"`).join(', ')}]\n`;

test('every URL hears of a room and a phone, in order, signed', async () => {
  const a = await sink(), b = await sink();
  const server = await Server.start({ yaml: yaml(a, b) });
  const [trunk] = await server.sip.listSipOutboundTrunk();
  await server.sip.createSipParticipant(trunk.sipTrunkId, '+12025550101', 'hooked', { waitUntilAnswered: true, participantIdentity: 'bank' });
  await server.rooms.deleteRoom('hooked');
  const whole = ['room_started', 'participant_joined', 'track_published', 'track_unpublished', 'participant_left', 'room_finished'];
  for (const s of [a, b]) {
    await until(() => s.of('hooked').length === whole.length, 5000, 'all events');
    assert.deepEqual(s.of('hooked'), whole);
    assert.equal(new Set(s.events.map((e) => e.id)).size, s.events.length);
    assert.equal(s.events[1].participant.identity, 'bank');
    assert.match(s.events[2].track.sid, /^TR_/);
  }
  await server.stop();
  await Promise.all([a.close(), b.close()]);
});

test('a server that fails is tried again; the room keeps its order, another room does not wait', async () => {
  const s = await sink((e, n) => (e.room.name === 'slow' ? (s.slow = (s.slow ?? 0) + 1) > 2 ? 200 : 503 : 200));
  const server = await Server.start({ yaml: yaml(s) });
  await server.rooms.createRoom({ name: 'slow' });
  await server.rooms.deleteRoom('slow');
  await server.rooms.createRoom({ name: 'quick' });
  await until(() => s.of('quick').length === 1, 2000, 'the quick room');
  assert.deepEqual(s.of('slow'), []);
  await until(() => s.of('slow').length === 2, 10000, 'the slow room');
  assert.deepEqual(s.of('slow'), ['room_started', 'room_finished']);
  await server.stop();
  await s.close();
});

test('a server that was away gets what it missed; a refusal is final', async () => {
  const [port] = await freePorts(1);
  const server = await Server.start({ yaml: yaml(`http://user:hunter2@127.0.0.1:${port}/hook?key=hunter3`) });
  await server.rooms.createRoom({ name: 'missed' });
  await until(() => /cannot be reached/.test(server.log), 5000, 'a word in the log');
  assert.doesNotMatch(server.log, /hunter/);
  const s = await sink((e) => (e.event === 'room_started' ? 200 : 410), undefined, port);
  await until(() => s.of('missed').length === 1, 10000, 'the missed event');
  await server.rooms.deleteRoom('missed');
  await until(() => /refused an event/.test(server.log), 5000, 'the refusal in the log');
  assert.equal(s.tries, 2);
  await server.stop();
  await s.close();
});

test('the end of the server is told, and waits for nobody for long', async () => {
  const s = await sink(), deaf = await sink(() => undefined);
  const server = await Server.start({ yaml: yaml(s, deaf) });
  await server.rooms.createRoom({ name: 'last' });
  await until(() => s.of('last').length === 1, 5000, 'the beginning');
  const from = Date.now();
  await server.stop();
  assert.ok(Date.now() - from < 9000, `it took ${Date.now() - from} ms`);
  assert.deepEqual(s.of('last'), ['room_started', 'room_finished']);
  await Promise.all([s.close(), deaf.close()]);
});

test('over https the certificate counts', async () => {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'hook-'));
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1', '-subj', '/CN=127.0.0.1',
    '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', `${dir}/key.pem`, '-out', `${dir}/cert.pem`], { stdio: 'ignore' });
  const s = await sink(undefined, { key: fs.readFileSync(`${dir}/key.pem`), cert: fs.readFileSync(`${dir}/cert.pem`) });
  const strict = await Server.start({ yaml: yaml(s) });
  await strict.rooms.createRoom({ name: 'tls' });
  await until(() => /cannot be reached.*certificate/.test(strict.log), 5000, 'the distrust in the log');
  assert.equal(s.tries, 0);
  await strict.stop();
  const trusting = await Server.start({ yaml: yaml(s), env: { SSL_CERT_FILE: `${dir}/cert.pem` } });
  await trusting.rooms.createRoom({ name: 'tls' });
  await until(() => s.of('tls').length === 1, 5000, 'the event');
  await trusting.stop();
  await s.close();
  fs.rmSync(dir, { recursive: true });
});
