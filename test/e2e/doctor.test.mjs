// ringdown doctor against a good trunk, a dead one, a wrong password, certificates that do not do, and a carrier's kamailio that must
// see the check's call cancelled before the phone behind it rings long.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import dgram from 'node:dgram';
import fs from 'node:fs';
import path from 'node:path';
import tls from 'node:tls';
import { analyse } from '../conformance/clients/lib/tone.mjs';
import { Server, freePorts, until } from './lib/server.mjs';
import { baresip, kamailio, sipp } from './lib/peers.mjs';
import { nameServer } from './lib/names.mjs';

let server, phone, carrier;
before(async () => {
  server = await Server.start();
  phone = await sipp('uas_cancelled.xml', server.folder);
  carrier = await kamailio(server.folder, phone.port);
});
after(async () => { await server.stop(); await carrier.stop(); await phone.stop(); });

async function trunk(name, port, more = {}) {
  const r = await server.cli(['sip', 'outbound', 'create', JSON.stringify({ trunk: { name, address: `127.0.0.1:${port}`, numbers: ['+12025550199'], ...more } })]);
  assert.equal(r.code, 0, r.err);
}
async function doctor(code, ...args) {
  const r = await server.cli(['doctor', '--json', ...args]);
  assert.equal(r.code, code, `${r.out}\n${r.err}`);
  const report = JSON.parse(r.out);
  assert.equal(report.ok, code === 0);
  report.of = (check) => report.checks.filter((c) => c.check === check);
  report.one = (check) => { assert.equal(report.of(check).length, 1, r.out); return report.of(check)[0]; };
  report.err = r.err;
  return report;
}

test('a good trunk: nothing is wrong, and a call is measured', async () => {
  const r = await doctor(0, 'simulator');
  assert.deepEqual(r.of('options').map((c) => c.result), ['good', 'good']);
  assert.match(r.of('address')[0].text, /sees us as 127\.0\.0\.1, which is what the server says/);
  assert.match(r.one('credentials').text, /accepts the credentials/);
  assert.equal(r.one('sound').result, 'skipped');
  assert.match(r.err, /\.\.\. asking with OPTIONS/);
  const called = await doctor(0, '--quiet', '--call', '+12025550117', 'simulator');
  assert.equal(called.err, '');
  assert.match(called.one('sound in').text, /^2[0-9]{2} packets in 5 s from 127\.0\.0\.1:\d+, 0 lost/);
  const text = await server.cli(['doctor', '--no-invite', 'simulator']);
  assert.match(text.out, /Nothing is wrong that can be seen from here\.\n$/);
});

// baresip at the other end; `said` of the call.
async function measured(name, how, media, ringdown, said) {
  const far = await baresip(server.folder, 620, { codecs: 'PCMU', ...how });
  try {
    const address = how.host ? `[${how.host}]:${far.port}` : `127.0.0.1:${far.port}`;
    await trunk(`measured-${name}`, 0, { address, media: { encryption: `SIP_MEDIA_ENCRYPT_${media}` }, metadata: JSON.stringify({ ringdown }) });
    const r = await doctor(0, '--call', '+12025550124', `measured-${name}`);
    assert.match(r.one('call').text, said);
    assert.match(r.one('sound in').text, /^2[0-9]{2} packets in 5 s from .*, 0 lost/);
    assert.match(r.one('sound out').text, /^The far end reports 0 % lost|^2[0-9]{2} packets went out/);
    await until(() => far.heard().length > 16000, 5000, 'baresip wrote what it heard');
    const tone = analyse(far.heard().subarray(4000, 16000), 8000);
    assert.ok(Math.abs(tone.freq - 440) < 5, JSON.stringify(tone));
  } finally { await far.stop(); }
}

test('a measured call is as the server\'s own would be: keys in the SDP, a handshake, refused and in clear, IPv6', async () => {
  await Promise.all([
    measured('sdes', { encryption: 'srtp-mand' }, 'REQUIRE', {}, /: PCMU, encrypted by AES_CM_128_HMAC_SHA1_80\.$/),
    measured('dtls', { encryption: 'dtls_srtp' }, 'REQUIRE', { media_security: 'dtls' }, /: PCMU, encrypted by DTLS-SRTP\.$/),
    measured('fallback', {}, 'ALLOW', {}, /: PCMU, in clear\.$/),
    measured('ip6', { host: '::1', encryption: 'srtp-mand' }, 'REQUIRE', {}, /its sound is at \[::1\]:\d+, ours at \[::1\]:\d+: PCMU, encrypted by AES/),
  ]);
});

test('encryption is required, and the phone has none', async () => {
  const far = await baresip(server.folder, 620);
  try {
    await trunk('unsafe', far.port, { media: { encryption: 'SIP_MEDIA_ENCRYPT_REQUIRE' } });
    assert.match((await doctor(1, '--call', '+12025550124', 'unsafe')).fix_first, /encryption/);
  } finally { await far.stop(); }
});

test('nobody there, no such name, a wrong password: what to fix first', async () => {
  const [dead] = await freePorts(1);
  await trunk('dead', dead);
  await trunk('nameless', 1, { address: 'nowhere.invalid' });
  await trunk('wrong', server.simulatorPort, { auth_username: 'x', auth_password: 'hunter2' });
  const d = await doctor(1, 'dead');
  assert.match(d.fix_first, new RegExp(`UDP 127\\.0\\.0\\.1:${dead} out`));
  assert.equal(d.of('options')[1].result, 'note', 'TCP is only for large requests');
  const n = await doctor(1, 'nameless');
  assert.match(n.fix_first, /nowhere\.invalid must have an A, AAAA or SRV record/);
  assert.deepEqual([...new Set(n.checks.map((c) => c.check))], ['settings', 'dns'], 'what stands on it is not examined');
  const w = await doctor(1, 'wrong');
  assert.equal(w.one('credentials').result, 'bad');
  assert.match(w.fix_first, /auth_username and auth_password/);
  assert.doesNotMatch(JSON.stringify(w), /hunter2/);
});

test('kamailio accepts the credentials, and the phone behind it is left alone', async () => {
  await trunk('carrier', carrier.port, { auth_username: '2345678e0', auth_password: 'geheim', metadata: JSON.stringify({ ringdown: { register: { enabled: true } } }) });
  await until(async () => (await (await fetch(`${server.http}/livekit/sip/trunks`)).json()).trunks.find((t) => t.name === 'carrier')?.state === 'up', 5000, 'registered');
  const before = phone.messages().length;
  const r = await doctor(0, 'carrier');
  assert.match(r.one('registration').text, /The server is registered as sip:2345678e0@127\.0\.0\.1\./);
  assert.equal(r.one('credentials').result, 'good', JSON.stringify(r.one('credentials')));
  assert.match(r.one('credentials').text, /accepts user "2345678e0" and its password, .* that was cancelled\. No phone rang\./);
  const seen = phone.messages().slice(before);
  assert.match(seen, /CANCEL sip:/);
  assert.doesNotMatch(seen, /BYE sip:|SIP\/2\.0 180/);
  await trunk('falsch', carrier.port, { auth_username: '2345678e0', auth_password: 'falsch' });
  assert.match((await doctor(1, 'falsch')).fix_first, /auth_username and auth_password/);
});

test('a clock that is wrong, an address that is another, and OPTIONS that nobody answers', async () => {
  const far = dgram.createSocket('udp4');
  await new Promise((r) => far.bind(0, '127.0.0.1', r));
  far.unref();
  let silent = false;
  far.on('message', (m, from) => {
    const text = m.toString(), options = text.startsWith('OPTIONS');
    if (text.startsWith('ACK') || (options && silent)) return;
    const head = ['Via', 'From', 'To', 'Call-ID', 'CSeq'].map((h) => text.match(new RegExp(`^${h}:.*`, 'mi'))[0].trimEnd());
    head[0] = head[0].replace(/;rport/, `;rport=${from.port};received=203.0.113.9`);
    head[2] += ';tag=far';
    const status = options ? '200 OK' : text.startsWith('CANCEL') ? '200 OK' : '404 Not Found';
    far.send(`SIP/2.0 ${status}\r\n${head.join('\r\n')}\r\nDate: Mon, 01 Jan 2001 00:00:00 GMT\r\nContent-Length: 0\r\n\r\n`, from.port, from.address);
  });
  await trunk('odd', far.address().port, { transport: 'SIP_TRANSPORT_UDP' });
  const r = await doctor(1, 'odd');
  assert.equal(r.one('clock').result, 'bad');
  assert.match(r.one('clock').text, /ahead of the carrier's/);
  assert.match(r.of('address')[0].text, /sees this machine as 203\.0\.113\.9; the server says 127\.0\.0\.1 in its SDP/);
  assert.match(r.fix_first, /sip\.nat_1_to_1_ip to 203\.0\.113\.9/);
  silent = true;
  const s = await doctor(0, 'odd');
  assert.equal(s.one('options').result, 'note');
  assert.match(s.one('options').text, /this carrier just ignores OPTIONS/);
  far.close();
});

test('TLS: an authority that nobody knows, then a name that the certificate has not', async () => {
  const file = (name) => path.join(server.folder, name);
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', file('k.pem'), '-out', file('c.pem'), '-subj', '/CN=Test',
    '-addext', 'subjectAltName=DNS:sip.example.org,DNS:localhost', '-days', '40'], { stdio: 'pipe' });
  const far = tls.createServer({ key: fs.readFileSync(file('k.pem')), cert: fs.readFileSync(file('c.pem')) }, (s) => s.on('error', () => {}));
  await new Promise((r) => far.listen(0, '127.0.0.1', r));
  far.unref();
  const { port } = far.address();
  await trunk('named', port, { address: `localhost:${port}`, transport: 'SIP_TRANSPORT_TLS' });
  await trunk('unnamed', port, { transport: 'SIP_TRANSPORT_TLS' });
  const unknown = await doctor(1, '--no-invite', 'named');
  assert.match(JSON.stringify(unknown.of('tls')), /not to be believed: self.signed/);
  assert.match(unknown.fix_first, /sip\.tls\.ca_file/);
  const named = await doctor(1, '--no-invite', '--ca-file', file('c.pem'), 'unnamed');
  assert.match(named.of('tls')[0].fix, /a name that the certificate has \(sip\.example\.org, localhost\)/);
  assert.match(named.of('tls')[0].text, /the certificate is for sip\.example\.org, localhost, not for 127\.0\.0\.1/);
  far.close();
  const secure = await kamailio(server.folder, phone.port, { cert: file('c.pem'), key: file('k.pem') });
  try {
    await trunk('secure', 0, { address: `localhost:${secure.tlsPort}`, transport: 'SIP_TRANSPORT_TLS', auth_username: '2345678e0', auth_password: 'geheim',
      metadata: JSON.stringify({ ringdown: { from_user: '2345678e0' } }) });
    const good = await doctor(0, '--ca-file', file('c.pem'), 'secure');
    assert.match(good.one('tls').text, /TLSv1\.3, certificate for sip\.example\.org, localhost by Test, (39|40) days left/);
    assert.match(good.one('options').text, /^TLS 127\.0\.0\.1:\d+ answers OPTIONS with 200 OK/);
    assert.equal(good.one('credentials').result, 'good');
    const untrusted = await doctor(1, 'secure');
    assert.match(untrusted.one('options').text, /No TLS with localhost at 127\.0\.0\.1:\d+/);
  } finally { await secure.stop(); }
});

test('a domain with SRV: what it says, and each of its servers', async () => {
  const [dead] = await freePorts(1);
  const names = await nameServer([
    ['_sip._udp.acme.test', 'SRV', `10 10 ${dead} gone.acme.test`],
    ['_sip._udp.acme.test', 'SRV', `20 10 ${carrier.port} edge.acme.test`],
    ['gone.acme.test', 'A', '127.0.0.1'],
    ['edge.acme.test', 'A', '127.0.0.1'],
  ]);
  try {
    await trunk('acme', 0, { address: 'acme.test' });
    const r = await doctor(1, '--no-invite', '--dns-servers', names.address, 'acme');
    const [said, called] = r.of('dns').map((c) => c.text);
    assert.equal(said, `acme.test has SRV _sip._udp. gone.acme.test:${dead} (10), edge.acme.test:${carrier.port} (20).`);
    assert.equal(called, `acme.test is called at UDP 127.0.0.1:${dead}, then UDP 127.0.0.1:${carrier.port}.`);
    assert.match(r.fix_first, new RegExp(`lets UDP 127\\.0\\.0\\.1:${dead} out`));
    assert.match(r.of('options').map((c) => c.text).join('\n'), new RegExp(`UDP 127\\.0\\.0\\.1:${carrier.port} answers OPTIONS with 200`));
  } finally { await names.stop(); }
});

test('exit statuses: 2 not understood, 3 nothing could be examined', async () => {
  assert.equal((await server.cli(['doctor', 'a', 'b'])).code, 2);
  assert.equal((await server.cli(['doctor', '--call', '110'])).code, 2);
  const unknown = await server.cli(['doctor', 'nosuch']);
  assert.equal(unknown.code, 3);
  assert.match(unknown.err, /no trunk has the name or id "nosuch"/);
  assert.equal((await server.cli(['doctor'], { LIVEKIT_URL: 'http://127.0.0.1:1' })).code, 3);
});
