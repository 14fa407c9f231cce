// Ways of media: TCP when UDP is blocked, IPv6, the address that a STUN server sees, a real TURN server.
import { test, after } from 'node:test';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import dgram from 'node:dgram';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { dispose } from '@livekit/rtc-node';
import { openPage, stopChromium } from '../conformance/clients/lib/hosts.mjs';
import { Server, freePorts, until } from './lib/server.mjs';
import { Person, assertTone } from './lib/people.mjs';

const require = createRequire(import.meta.url);
const WebSocket = require('ws');
const { SignalRequest, SignalResponse } = require('@livekit/protocol');

after(() => dispose());

// The first word of a session, and what the first SDP tells of where we are.
// `protocol`: what it asks to be moved to before it goes, 1 = TCP, 2 = TLS.
async function join(server, protocol) {
  const ws = new WebSocket(`${server.ws}/rtc?access_token=${await server.token('raw', 'raw')}&protocol=17&auto_subscribe=1`);
  const said = { offers: [] };
  ws.on('message', (bytes) => {
    const { message } = SignalResponse.fromBinary(bytes);
    if (message.case === 'join') said.join = message.value;
    if (message.case === 'offer')
      said.offers.push([...message.value.sdp.matchAll(/^a=candidate:\d+ 1 (\w+) \d+ (\S+) (\d+) typ host/gm)].map(([, protocol, ip, port]) => ({ protocol, ip, port: +port })));
  });
  await until(() => said.join && said.offers.length, 5000, 'the first offer');
  if (protocol !== undefined) {
    ws.send(new SignalRequest({ message: { case: 'simulate', value: { scenario: { case: 'switchCandidateProtocol', value: protocol } } } }).toBinary());
    await until(() => said.offers.length > 1, 5000, 'the offer after it');
  }
  ws.close();
  await new Promise((r) => ws.once('close', r));
  [said.candidates, said.moved] = said.offers;
  return said;
}

async function theyHearEachOther(server, room = 'ways') {
  const alice = await Person.join(server, room, 'alice'), bob = await Person.join(server, room, 'bob');
  await Promise.all([alice.speak(440), bob.speak(660)]);
  assertTone(await bob.hears('alice'), 440, 'bob hears alice');
  assertTone(await alice.hears('bob'), 660, 'alice hears bob');
  await Promise.all([alice.leave(), bob.leave()]);
}

// A page with livekit-client that hears a person of rtc-node, and is heard. `more`: for the page's join.
async function pageAndPerson(server, check, more = {}) {
  const page = await openPage(() => {}, () => {});
  try {
    const bob = await Person.join(server, 'page', 'bob');
    await bob.speak(660);
    await page.call('alice', 'join', { url: server.ws, token: await server.token('page', 'alice'), ...more });
    await page.call('alice', 'publish', { key: 'mic', freq: 440 });
    assertTone(await bob.hears('alice'), 440, 'bob hears alice');
    assertTone(await page.call('alice', 'hear', { who: 'bob' }), 660, 'alice hears bob');
    await check(page);
    await bob.leave();
  } finally { await page.close(); await stopChromium(); }
}

// A Chromium with more flags, for hosts.mjs.
function withFlags(folder, flags) {
  const file = path.join(folder, 'chromium');
  fs.writeFileSync(file, `#!/bin/sh\nexec ${process.env.CHROMIUM ?? '/usr/bin/chromium'} ${flags} "$@"\n`, { mode: 0o755 });
  return file;
}

test('UDP blocked: a browser finds TCP by itself', async () => {
  const server = await Server.start({ simulator: false });
  const before = process.env.CHROMIUM;
  process.env.CHROMIUM = withFlags(server.folder, '--webrtc-ip-handling-policy=disable_non_proxied_udp');
  try {
    await pageAndPerson(server, async (page) => assert.deepEqual(await page.call('alice', 'transport', {}), ['tcp']));
  } finally {
    if (before) process.env.CHROMIUM = before; else delete process.env.CHROMIUM;
    await server.stop();
  }
});

test('who asks for TCP finds TCP only when it comes back, and UDP again when it asks for that', async () => {
  const server = await Server.start({ simulator: false });
  try {
    const protocols = (candidates) => candidates?.map((c) => c.protocol).join();
    for (const [ask, found, then] of [[1, 'udp,tcp', 'tcp'], [0, 'tcp', 'udp,tcp'], [undefined, 'udp,tcp']]) {
      const { candidates, moved } = await join(server, ask);
      assert.deepEqual([protocols(candidates), protocols(moved)], [found, then]);
    }
  } finally { await server.stop(); }
});

test('rtc.force_tcp: rtc-node is told TCP only, and talks by it', async () => {
  const server = await Server.start({ simulator: false, rtc: ['node_ip: 127.0.0.1', 'force_tcp: true'] });
  try {
    const { candidates } = await join(server);
    assert.deepEqual(candidates, [{ protocol: 'tcp', ip: '127.0.0.1', port: server.udpPort }]);
    await theyHearEachOther(server);
  } finally { await server.stop(); }
});

test('IPv6 only: signalling and media', async () => {
  const server = await Server.start({ simulator: false, dev: false, bind: ['::1'], rtc: [] });
  try {
    const { candidates } = await join(server);
    assert.deepEqual(candidates.map((c) => `${c.protocol} ${c.ip}`), ['udp ::1', 'tcp ::1']);
    assert.equal((await fetch(`http://[::1]:${server.backendPort}/livekit/nothing`)).status, 404);
    await theyHearEachOther(server);
  } finally { await server.stop(); }
});

test('both families: each of our addresses is told, UDP before TCP', async () => {
  const server = await Server.start({ simulator: false, dev: false, bind: ['127.0.0.1', '::1'], rtc: [] });
  try {
    const { candidates } = await join(server);
    assert.deepEqual(candidates.map((c) => `${c.protocol} ${c.ip}`), ['udp 127.0.0.1', 'udp ::1', 'tcp 127.0.0.1', 'tcp ::1']);
    assert.equal((await fetch(`http://[::1]:${server.port}/`)).status, 200);
  } finally { await server.stop(); }
});

// RFC 8489: a binding response that says `ip`.
function stunServer(ip) {
  const socket = dgram.createSocket('udp4');
  socket.on('message', (m, from) => {
    const out = Buffer.alloc(32);
    m.copy(out, 0, 0, 20);
    out.writeUInt16BE(0x0101, 0);
    out.writeUInt16BE(12, 2);
    out.writeUInt16BE(0x0020, 20);
    out.writeUInt16BE(8, 22);
    out.writeUInt16BE(1, 24);
    out.writeUInt16BE(from.port ^ 0x2112, 26);
    out.writeUInt32BE((Buffer.from(ip.split('.').map(Number)).readUInt32BE() ^ 0x2112a442) >>> 0, 28);
    if (ip) socket.send(out, from.port, from.address);
  });
  return new Promise((r) => socket.bind(0, '127.0.0.1', () => r(socket)));
}

test('rtc.use_external_ip: the address that a STUN server sees is told', async () => {
  const stun = await stunServer('203.0.113.9');
  const at = `stun_servers: ["127.0.0.1:${stun.address().port}"]`;
  const server = await Server.start({ simulator: false, dev: false, rtc: ['use_external_ip: true', 'advertise_internal_ip: true', at] });
  try {
    const { candidates, join: said } = await join(server);
    assert.deepEqual(candidates.map((c) => `${c.protocol} ${c.ip}`), ['udp 203.0.113.9', 'udp 127.0.0.1', 'tcp 203.0.113.9', 'tcp 127.0.0.1']);
    assert.deepEqual(said.iceServers.map((s) => s.urls), [[`stun:127.0.0.1:${stun.address().port}`]]);
  } finally { await server.stop(); stun.close(); }
});

test('rtc.use_external_ip without an answer: a warning, and our own address', async () => {
  const deaf = dgram.createSocket('udp4');
  await new Promise((r) => deaf.bind(0, '127.0.0.1', r));
  const started = Date.now();
  const server = await Server.start({ simulator: false, dev: false, rtc: ['use_external_ip: true', `stun_servers: ["127.0.0.1:${deaf.address().port}"]`] });
  try {
    assert.ok(Date.now() - started < 25000, 'the start does not wait for all the repetitions of RFC 8489 (39.5 s)');
    assert.match(server.log, /no STUN server answered 127\.0\.0\.1.*rtc\.node_ip/);
    assert.deepEqual((await join(server)).candidates.map((c) => c.ip), ['127.0.0.1', '127.0.0.1']);
  } finally { await server.stop(); deaf.close(); }
});

test('rtc.turn_servers: a browser that may only relay talks through coturn', async () => {
  const secret = 'no-log-shall-say-this', folder = fs.mkdtempSync(path.join(os.tmpdir(), 'turn-'));
  const [port] = await freePorts(1);
  let said = '';
  const turn = spawn('turnserver', ['-n', '--no-cli', '--no-tls', '--no-dtls', '--allow-loopback-peers', '--use-auth-secret', `--static-auth-secret=${secret}`,
    '--realm=test', '--listening-ip=127.0.0.1', '--relay-ip=127.0.0.1', `--listening-port=${port}`, '--log-file=stdout', '--verbose',
    `--userdb=${folder}/db`, `--pidfile=${folder}/pid`], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  for (const s of [turn.stdout, turn.stderr]) s.on('data', (d) => { said += d; });
  const gone = new Promise((r) => turn.on('exit', r));
  const server = await Server.start({ simulator: false, rtc: ['node_ip: 127.0.0.1', 'turn_servers:', `  - {host: 127.0.0.1, port: ${port}, secret: ${secret}}`,
    '  - {host: "::1", port: 5349, protocol: tls, username: user, credential: word}'] });
  try {
    await until(() => /listener opened/i.test(said), 5000, 'coturn listens').catch((e) => { throw new Error(`${e.message}\n${said}`); });
    const { join: told } = await join(server, 2);
    assert.equal(told.clientConfiguration, undefined);
    assert.equal((await join(server, 0)).join.clientConfiguration.forceRelay, 2, 'asked for TLS: relay only');
    const [own, fixed] = told.iceServers;
    assert.deepEqual(own.urls, [`turn:127.0.0.1:${port}?transport=udp`]);
    const [until_s, ...who] = own.username.split(':');
    assert.equal(who.join(':'), 'raw');
    assert.ok(Math.abs(until_s - Date.now() / 1000 - 14400) < 60, own.username);
    assert.equal(own.credential, createHmac('sha1', secret).update(own.username).digest('base64'));
    assert.deepEqual([fixed.urls, fixed.username, fixed.credential], [['turns:[::1]:5349?transport=tcp'], 'user', 'word']);

    await pageAndPerson(server, async (page) => assert.deepEqual(await page.call('alice', 'transport', { what: 'candidateType' }), ['relay']), { relay: true })
      .catch((e) => { throw new Error(`${e.stack}\n${said.slice(-3000)}`); });
    assert.ok(!server.log.includes(secret), 'the secret is in the log');
  } finally {
    turn.kill('SIGKILL');
    await gone;
    await server.stop();
    fs.rmSync(folder, { recursive: true, force: true });
  }
});
