// TLS on both ports, with a certificate of an authority made here: curl, the server SDK, rtc-node and livekit-client trust it or do not;
// silent connections keep nobody out; a new certificate counts while people are in their rooms.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import tls from 'node:tls';
import { chromium } from 'playwright-core';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'ringdown-tls-'));
const file = (name) => path.join(folder, name);
const openssl = (...args) => execFileSync('openssl', args, { stdio: 'pipe' });
function makeCertificate(name) {
  openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', file('key.new'), '-out', file('csr'), '-subj', `/CN=${name}`);
  fs.writeFileSync(file('ext'), 'subjectAltName=DNS:localhost,IP:127.0.0.1');
  openssl('x509', '-req', '-in', file('csr'), '-CA', file('ca.pem'), '-CAkey', file('ca.key'), '-CAcreateserial', '-out', file('cert.new'), '-days', '2', '-extfile', file('ext'));
  fs.renameSync(file('key.new'), file('key.pem'));
  fs.renameSync(file('cert.new'), file('cert.pem'));
}
openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', file('ca.key'), '-out', file('ca.pem'), '-subj', '/CN=Test authority', '-days', '2');
makeCertificate('first');
// rtc-node takes the authority from here, before it is loaded; node's own fetch is told to trust anybody, curl below is not.
process.env.SSL_CERT_FILE = file('ca.pem');
process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
const { Server, until } = await import('./lib/server.mjs');
const { Person, assertTone } = await import('./lib/people.mjs');
const { dispose } = await import('@livekit/rtc-node');

let server;
before(async () => { server = await Server.start({ tls: true, yaml: `tls: {cert_file: ${file('cert.pem')}, key_file: ${file('key.pem')}}` }); });
after(async () => { await server?.stop(); await dispose(); fs.rmSync(folder, { recursive: true, force: true }); });

const curl = (...args) => spawnSync('curl', ['-sS', '--max-time', '5', ...args], { encoding: 'utf8' });
const subject = () => new Promise((resolve, reject) => {
  const s = tls.connect({ port: server.port, host: '127.0.0.1', servername: 'localhost' }, () => { resolve(s.getPeerCertificate().subject.CN); s.end(); }).on('error', reject);
});

test('curl and the server SDK speak https on both ports; plain http and other authorities do not get in', async () => {
  assert.equal(curl('--cacert', file('ca.pem'), `${server.http}/`).stdout, 'OK');
  assert.match(curl('--cacert', file('ca.pem'), `${server.backend}/app/config`).stdout, new RegExp(`"server_url":\\s*"wss://127.0.0.1:${server.port}"`));
  assert.equal(curl(`${server.http}/`).status, 60, 'an authority that nobody knows');
  assert.notEqual(curl(`http://127.0.0.1:${server.port}/`).status, 0);
  assert.equal(curl('--cacert', file('ca.pem'), '--tlsv1.1', '--tls-max', '1.1', `${server.http}/`).status, 35);
  const listed = await server.cli(['sip', 'outbound', 'list'], { SSL_CERT_FILE: file('ca.pem') });
  assert.match(listed.out, /simulator/, listed.err);
  assert.match((await server.cli(['sip', 'outbound', 'list'], { SSL_CERT_FILE: '' })).err, /certificate/);
  await server.rooms.createRoom({ name: 'over-https' });
  const large = 'x'.repeat(400000);
  await server.rooms.updateRoomMetadata('over-https', large);
  assert.equal((await server.rooms.listRooms())[0].metadata, large);
});

test('rtc-node over wss: two people hear each other, also while the certificate changes', async () => {
  const ann = await Person.join(server, 'secure', 'ann'), bob = await Person.join(server, 'secure', 'bob');
  await ann.speak(440);
  assertTone(await bob.hears('ann'), 440, 'bob hears ann');
  assert.equal(await subject(), 'first');
  makeCertificate('second');
  await until(async () => (await subject()) === 'second', 6000, 'the new certificate is shown');
  fs.writeFileSync(file('cert.pem'), 'nothing of use');
  server.child.kill('SIGHUP');
  await until(() => /the certificate stays: .*cert.pem: no certificate in PEM/.test(server.log), 3000, 'the bad file is told');
  assert.equal(await subject(), 'second');
  assertTone(await bob.hears('ann', { fresh: true }), 440, 'bob still hears ann');
  await Promise.all([ann.leave(), bob.leave()]);
});

test('livekit-client in Chromium joins over wss', async () => {
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', headless: true,
    args: ['--no-sandbox', '--disable-gpu', '--allow-loopback-in-peer-connection'] });
  try {
    const page = await (await browser.newContext({ ignoreHTTPSErrors: true })).newPage();
    await page.goto(`${server.http}/`);
    await page.addScriptTag({ path: path.resolve(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), '../node_modules/livekit-client/dist/livekit-client.umd.js') });
    const met = await page.evaluate(async ([url, token]) => {
      const room = new LivekitClient.Room();
      await room.connect(url, token);
      const said = { state: room.state, name: room.name };
      await room.disconnect();
      return said;
    }, [server.ws, await server.token('page', 'kim')]);
    assert.deepEqual(met, { state: 'connected', name: 'page' });
  } finally { await browser.close(); }
});

test('connections that say nothing, or little by little, keep nobody out', async () => {
  const sockets = [];
  for (let i = 0; i < 300; i++) {
    const s = net.connect(server.port, '127.0.0.1').on('error', () => {}).on('close', () => { s.gone = true; });
    s.on('connect', () => s.write(i % 2 ? Buffer.from([0x16, 0x03, 0x01, 0x02]) : ''));
    sockets.push(s);
  }
  await until(() => sockets.filter((s) => s.gone).length >= 44, 5000, 'the oldest give way');
  assert.equal(curl('--cacert', file('ca.pem'), `${server.http}/`).stdout, 'OK');
  for (const s of sockets) s.destroy();
});
