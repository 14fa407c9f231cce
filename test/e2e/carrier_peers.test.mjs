// The simulated carrier against others than us - sipp and baresip call it - and our server where it needs more than UDP: TLS and SRTP,
// several edges of which one is silent, a registration.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { spawn } from 'node:child_process';
import { dispose } from '@livekit/rtc-node';
import { Server, freePorts, root, until } from './lib/server.mjs';
import { Carrier } from './lib/carrier.mjs';
import { nameServer } from './lib/names.mjs';
import { baresip } from './lib/peers.mjs';
import { Person, assertTone } from './lib/people.mjs';

const edges = ['127.0.0.1', '127.0.0.2', '127.0.0.3'];
const hosts = ['open', 'secure'].map((h) => `${h}.pstn.twilio.test`);
let folder, carrier, names, server;
before(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'ringdown-carrier-'));
  carrier = await Carrier.start({ ips: edges, tls: folder, quirks: ['cps=0', 't1-ms=100'], numbers: { '+12025550150': '180 / wait 100 / answer / play tone' } });
  names = await nameServer([...edges.map((ip) => [hosts[0], 'A', ip]), [hosts[1], 'A', edges[0]]]);
  server = await Server.start({ yaml: `dns_servers: ["${names.address}"]\n`, sip: [`tls: {port: 0, ca_file: ${folder}/ca.pem}`] });
});
after(async () => {
  await server?.stop();
  for (const p of [carrier, names]) await p?.stop();
  fs.rmSync(folder, { recursive: true, force: true });
  await dispose();
});

async function trunk(name, more) {
  const r = await server.cli(['sip', 'outbound', 'create', JSON.stringify({ trunk: { name, numbers: ['+12025550199'], auth_username: 'ringdown', auth_password: 'Simulated-Trunk-1', ...more } })]);
  assert.equal(r.code, 0, r.err);
  return r.out.match(/ST_\w+/)[0];
}
const dial = (name, number = '+12025550150') => server.dial(name, number, { trunk: name, wait_until_answered: true });
const hangUp = (room, d) => server.post('/livekit/sip/hangup', { room, participant_identity: d.json.participant_identity });

// --- others call the carrier -----------------------------------------------------------------------

async function run(program, args, ms) {
  const child = spawn(program, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  for (const s of [child.stdout, child.stderr]) s.on('data', (d) => { out += d; });
  const late = setTimeout(() => child.kill('SIGKILL'), ms);
  const code = await new Promise((r) => child.on('exit', r));
  clearTimeout(late);
  return { code, out };
}

for (const [transport, flag] of [['UDP', 'u1'], ['TCP', 't1']]) {
  test(`sipp calls it over ${transport}: digest, ACK and BYE by the route set`, async () => {
    const host = 'ringdown.pstn.twilio.test', [port] = await freePorts(1), before_ = carrier.events.length;
    fs.writeFileSync(path.join(folder, 'hosts.csv'), `SEQUENTIAL\n${host}\n`);
    const sipp = await run('sipp', [`127.0.0.1:${carrier.port}`, '-sf', path.join(root, 'test/data/sipp/uac_carrier.xml'), '-inf', path.join(folder, 'hosts.csv'), '-s', '+12025550101',
      '-m', '3', '-r', '10', '-i', '127.0.0.1', '-p', String(port), '-t', flag, '-auth_uri', `+12025550101@${host}`, '-nostdin'], 15000);
    assert.equal(sipp.code, 0, sipp.out.slice(-1500));
    const ended = () => carrier.events.slice(before_).filter((e) => e.event === 'ended' && e.why === 'the caller hung up');
    await until(() => ended().length === 3, 3000, 'three calls end by BYE');
    assert.ok(!carrier.events.slice(before_).some((e) => ['ack_ignored', 'no_dialog'].includes(e.event)));
  });
}

test('baresip calls it: it hears the tone, and the carrier hears baresip', async () => {
  const phone = await baresip(folder, 620, { account: '+12025550199@open.pstn.twilio.test', proxy: `127.0.0.1:${carrier.port}`,
    args: ['-e', '/dial sip:+12025550150@open.pstn.twilio.test', '-t', '4'] });
  try {
    await carrier.sees('+12025550150', 'state', (e) => e.state === 'up', 8000);
    await until(() => phone.heard().length > 12000, 6000, 'baresip hears something');
    await until(() => carrier.has('+12025550150', 'ended'), 8000, 'baresip hangs up');
    const { analyse } = await import('../conformance/clients/lib/tone.mjs');
    const tone = analyse(phone.heard().subarray(4000, 12000), 8000);
    assert.ok(Math.abs(tone.freq - 1000) < 10, JSON.stringify(tone));
    const media = carrier.has('+12025550150', 'media');
    assert.equal(media.wrong_source + media.wrong_type + media.bad_timestamps, 0, JSON.stringify(media));
    assert.ok(media.sound_ms > 500, JSON.stringify(media));
    assert.ok(!carrier.of('+12025550150').some((e) => ['ack_ignored', 'no_dialog'].includes(e.event)));
  } finally { await phone.stop(); }
});

// --- our server, beyond UDP ---------------------------------------------------------------------------

test('a secure trunk: TLS by a wildcard, SRTP by SDES, sound both ways', async () => {
  await trunk('secure', { address: `${hosts[1]}:${carrier.tlsPort}`, transport: 'SIP_TRANSPORT_TLS', media: { encryption: 'SIP_MEDIA_ENCRYPT_REQUIRE' } });
  const alice = await Person.join(server, 'secure', 'alice');
  try {
    await alice.speak(440);
    const d = await dial('secure');
    assert.equal(d.json?.success, true, `${d.text}\n${server.log.slice(-1500)}`);
    assertTone(await alice.hears(d.json.participant_identity), 1000, 'alice hears the callee');
    await new Promise((r) => setTimeout(r, 500)); // of sound
    await hangUp('secure', d);
    const media = await carrier.sees('+12025550150', 'media');
    assert.equal(media.verdict, 'good', JSON.stringify(media));
    assert.ok(media.secure && media.sound_ms > 300, JSON.stringify(media));
    const seen = carrier.of('+12025550150');
    assert.equal(seen.find((e) => e.event === 'ended').why, 'the caller hung up');
    assert.deepEqual([...new Set(seen.filter((e) => e.event === 'received').map((e) => e.transport))], ['TLS']);
  } finally { await alice.leave(); }
});

test('a secure trunk says what is missing: TLS, or SRTP', async () => {
  await trunk('clear', { address: `${hosts[1]}:${carrier.port}` });
  assert.equal((await dial('clear')).json.error.carrier_code, '32209');
  await trunk('half', { address: `${hosts[1]}:${carrier.tlsPort}`, transport: 'SIP_TRANSPORT_TLS' });
  assert.equal((await dial('half')).json.error.carrier_code, '32208');
  await trunk('too-secure', { address: `${hosts[0]}:${carrier.port}`, media: { encryption: 'SIP_MEDIA_ENCRYPT_REQUIRE' } });
  assert.equal((await dial('too-secure')).json.error.carrier_code, '32207');
});

test('a host under .localhost is found without any DNS', async () => {
  await trunk('local', { address: `ringdown.pstn.twilio.localhost:${carrier.port}` });
  const d = await dial('local');
  assert.equal(d.json?.success, true, d.text);
  assert.match(carrier.of('+12025550150').find((e) => e.event === 'received').uri, /@ringdown\.pstn\.twilio\.localhost/);
  await hangUp('local', d);
  await carrier.sees('+12025550150', 'ended');
});

test('edges that are dead or silent are passed over', async () => {
  await trunk('edges', { address: `${hosts[0]}:${carrier.port}` });
  await carrier.control('blackhole 127.0.0.1');
  await carrier.control('kill 127.0.0.2');
  try {
    const d = await dial('edges');
    assert.equal(d.json?.success, true, d.text);
    assert.equal(carrier.of('+12025550150').find((e) => e.event === 'received').edge, '127.0.0.3');
    await hangUp('edges', d);
    await carrier.sees('+12025550150', 'ended');
  } finally {
    await carrier.control('revive 127.0.0.1');
    await carrier.control('revive 127.0.0.2');
  }
});

test('trunks that register: no call before, From is the account, 423 is obeyed', async () => {
  const proxy = { outbound_proxy: `127.0.0.1:${carrier.port}` };
  await carrier.control('set sipgate.test: expires-min=300');
  await trunk('early', { address: 'sipgate.test', metadata: JSON.stringify({ ringdown: { ...proxy, from_user: 'ringdown' } }) });
  assert.equal((await dial('early')).json.error.sip_status, 403);
  await trunk('sipgate', { address: 'sipgate.test', metadata: JSON.stringify({ ringdown: { ...proxy, register: { enabled: true, expires_s: 60 } } }) });
  await until(() => carrier.events.some((e) => e.event === 'register' && e.status === 423), 5000, '423');
  await until(() => carrier.events.some((e) => e.event === 'register' && e.status === 200), 5000, 'registered');
  const d = await dial('sipgate');
  assert.equal(d.json?.success, true, d.text);
  await hangUp('sipgate', d);
  await carrier.sees('+12025550150', 'ended', (e) => e.why === 'the caller hung up');
});
