// How a trunk is reached: kamailio as a carrier's edge by TLS, found by NAPTR and SRV, one of whose servers is dead.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import tls from 'node:tls';
import { Server, freePorts, until } from './lib/server.mjs';
import { sipp } from './lib/peers.mjs';
import { edge, makeAuthority, makeCertificate } from './lib/edge.mjs';
import { nameServer } from './lib/names.mjs';

let folder, server, phone, carrier, names, authority, dead;
before(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'ringdown-reach-'));
  authority = makeAuthority(folder);
  const ours = makeCertificate(folder, authority, 'ours', 'DNS:gateway.test');
  names = await nameServer([]);
  server = await Server.start({
    yaml: `dns_servers: ["${names.address}"]\n`,
    sip: [`tls: {port: 0, ca_file: ${authority.ca}, cert_file: ${ours.cert}, key_file: ${ours.key}}`],
  });
  phone = await sipp('uas_routed.xml', folder);
  carrier = await edge(folder, { phone: phone.port, cert: makeCertificate(folder, authority, 'edge', 'DNS:*.pstn.test'), ask: true, authority });
  [dead] = await freePorts(1);
  names.records.push(
    ['acme.pstn.test', 'NAPTR', '10 10 s SIPS+D2T _sips._tcp.acme.pstn.test'],
    ['acme.pstn.test', 'NAPTR', '20 10 s SIP+D2U _sip._udp.acme.pstn.test'],
    ['_sips._tcp.acme.pstn.test', 'SRV', `10 10 ${dead} gone.pstn.test`],
    ['_sips._tcp.acme.pstn.test', 'SRV', `20 10 ${carrier.tlsPort} edge.pstn.test`],
    ['gone.pstn.test', 'A', '127.0.0.1'],
    ['edge.pstn.test', 'A', '127.0.0.1'],
    ['edge.other.test', 'A', '127.0.0.1'],
  );
});
after(async () => {
  await server?.stop();
  for (const p of [carrier, phone, names]) await p?.stop();
  fs.rmSync(folder, { recursive: true, force: true });
});

async function trunk(name, more) {
  const r = await server.cli(['sip', 'outbound', 'create', JSON.stringify({ trunk: { name, numbers: ['+12025550199'], ...more } })]);
  assert.equal(r.code, 0, r.err);
}
const dial = (name, number = '+12025550123') => server.dial(name, number, { trunk: name, wait_until_answered: true });
const hangUp = (room, r) => server.post('/livekit/sip/hangup', { room, participant_identity: r.json.participant_identity });
// What kamailio logged of a request: it comes by a pipe, perhaps after the phone's own word.
const seen = (method, n = 0) => until(() => carrier.seen(method)[n], 5000, `${method} in kamailio's log`);
const byes = () => (phone.messages().match(/^BYE sip:/gm) ?? []).length;

test('NAPTR chooses TLS, the dead server of its SRV is passed over, a dialog rides its connection', async () => {
  await trunk('acme', { address: 'acme.pstn.test' });
  const dialed = await dial('acme');
  assert.equal(dialed.json?.success, true, `${dialed.text}\n${server.log}\n${carrier.log}`);
  const invite = await seen('INVITE');
  assert.equal(invite.protocol, 'tls');
  assert.equal(invite.uri, 'sip:+12025550123@acme.pstn.test', 'the name of the trunk stays');
  assert.match(phone.messages(), new RegExp(`^Record-Route: <sip:127\\.0\\.0\\.1:${carrier.tlsPort};transport=tls;r2=on;lr`, 'm'), 'an address that nobody proves to be');
  await hangUp('acme', dialed);
  await until(() => byes() === 1, 5000, 'BYE reaches the phone');
  const ids = (await Promise.all(['INVITE', 'ACK', 'BYE'].map((m) => seen(m)))).map((r) => r.connection);
  assert.deepEqual(new Set(ids).size, 1, `one connection: ${ids}`);
  assert.match(carrier.seen('BYE')[0].uri, new RegExp(`^sip:127\\.0\\.0\\.1:${phone.port}`), 'the phone\'s own Contact');
});

test('the next call goes to the server that lives, on the connection that is there', async () => {
  const asked = names.asked.length;
  const dialed = await dial('acme', '+12025550124');
  assert.deepEqual(names.asked.slice(asked), [], 'what the DNS said of NAPTR, SRV and hosts is known still');
  assert.equal(dialed.json?.success, true, dialed.text);
  assert.equal((await seen('INVITE', 1)).connection, (await seen('INVITE')).connection);
  await hangUp('acme', dialed);
  await until(() => byes() === 2, 5000, 'BYE');
});

test('a connection that broke in a call is made anew, by the same name', async () => {
  const dialed = await dial('acme', '+12025550125');
  assert.equal(dialed.json?.success, true, dialed.text);
  await carrier.stop();
  carrier = await edge(folder, carrier.options);
  await hangUp('acme', dialed);
  await until(() => byes() === 3, 8000, 'BYE reaches the phone').catch((e) => { throw new Error(`${e.message}\n${server.log}\n${carrier.log}`); });
  assert.equal((await seen('BYE')).protocol, 'tls');
});

test('a certificate for another name: no INVITE, and a sentence that names both', async () => {
  await trunk('other', { address: `edge.other.test:${carrier.tlsPort}`, transport: 'SIP_TRANSPORT_TLS' });
  const invites = carrier.seen('INVITE').length;
  const dialed = await dial('other');
  assert.notEqual(dialed.json?.success, true);
  assert.match(dialed.text, /its certificate is for \*\.pstn\.test, not for edge\.other\.test/, dialed.text);
  assert.equal(carrier.seen('INVITE').length, invites);
});

// The server behind it is Node's: it shows what it is given, and counts what comes in clear behind the handshake.
async function shows(name, file, key, chain = []) {
  let heard = 0;
  const pem = [file, ...chain].map((f) => fs.readFileSync(f, 'utf8')).join('');
  const far = tls.createServer({ cert: pem, key: fs.readFileSync(key) }, (s) => { s.on('data', (d) => { heard += d.length; }); s.on('error', () => {}); });
  far.on('tlsClientError', () => {});
  await new Promise((resolve) => { far.listen(0, '127.0.0.1', resolve); });
  names.records.push([`${name}.cert.test`, 'A', '127.0.0.1']);
  await trunk(name, { address: `${name}.cert.test:${far.address().port}`, transport: 'SIP_TRANSPORT_TLS' });
  const dialed = await dial(name);
  far.close();
  assert.notEqual(dialed.json?.success, true);
  assert.equal(heard, 0, 'no INVITE to who cannot prove who he is');
  return dialed.text;
}

test('certificates that do not hold, each with its reason', async () => {
  const day = (days) => new Date(Date.now() + days * 86400000).toISOString().slice(0, 10);
  const old = makeCertificate(folder, authority, 'old', 'DNS:old.cert.test', { from: -5, days: 2 });
  assert.match(await shows('old', old.cert, old.key), new RegExp(`its certificate has expired \\((${day(-3)}|${day(-4)})\\)`));
  const early = makeCertificate(folder, authority, 'early', 'DNS:early.cert.test', { from: 2, days: 4 });
  assert.match(await shows('early', early.cert, early.key), new RegExp(`its certificate is not valid yet \\((${day(2)}|${day(3)})\\): is the clock of this machine right`));
  const alone = makeCertificate(folder, null, 'alone', 'DNS:alone.cert.test');
  assert.match(await shows('alone', alone.cert, alone.key), /its certificate is signed by itself alone, and is not trusted here/);
  const middle = makeCertificate(folder, authority, 'Middle', 'DNS:middle.test', { authority: true });
  const below = makeCertificate(folder, { ca: middle.cert, key: middle.key }, 'below', 'DNS:below.cert.test');
  assert.match(await shows('below', below.cert, below.key), /an authority that is not trusted here: Middle, or the certificates in between are not shown/);
  const gone = makeCertificate(folder, authority, 'Gone', 'DNS:gone.test', { authority: true, from: -5, days: 2 });
  const under = makeCertificate(folder, { ca: gone.cert, key: gone.key }, 'under', 'DNS:under.cert.test');
  assert.match(await shows('under', under.cert, under.key, [gone.cert]), /the certificate of its authority Gone has expired/);
  fs.mkdirSync(path.join(folder, 'strange'));
  const strange = makeAuthority(path.join(folder, 'strange'), 'Strange Authority');
  const theirs = makeCertificate(folder, strange, 'theirs', 'DNS:theirs.cert.test');
  assert.match(await shows('theirs', theirs.cert, theirs.key, [strange.ca]), /an authority that is not trusted here: Strange Authority\W/);
});

test('TLS to nobody', async () => {
  await trunk('closed', { address: `edge.pstn.test:${dead}`, transport: 'SIP_TRANSPORT_TLS' });
  assert.match((await dial('closed')).text, /cannot be reached|refuses|port/);
});

test('by TCP, through an outbound proxy that a Route names', async () => {
  const options = JSON.stringify({ ringdown: { outbound_proxy: `127.0.0.1:${carrier.port};transport=tcp` } });
  await trunk('proxied', { address: 'customer.test', metadata: options });
  const before = carrier.seen('INVITE').length, ended = byes();
  const dialed = await dial('proxied');
  assert.equal(dialed.json?.success, true, `${dialed.text}\n${server.log}\n${carrier.log}`);
  const invite = await seen('INVITE', before);
  assert.equal(invite.protocol, 'tcp');
  assert.equal(invite.uri, 'sip:+12025550123@customer.test');
  assert.equal(invite.route, `<sip:127.0.0.1:${carrier.port};transport=tcp;lr>`);
  await hangUp('proxied', dialed);
  await until(() => byes() === ended + 1, 5000, 'BYE');
});

test('the phone hangs up: its BYE comes to our own TLS port', async () => {
  const far = await sipp('uas_routed_bye.xml', folder);
  const other = await edge(folder, { ...carrier.options, ports: undefined, phone: far.port });
  try {
    names.records.push(['other.pstn.test', 'A', '127.0.0.1']);
    await trunk('hung up', { address: `other.pstn.test:${other.tlsPort}`, transport: 'SIP_TRANSPORT_TLS' });
    const dialed = await dial('hung up');
    assert.equal(dialed.json?.success, true, `${dialed.text}\n${other.log}`);
    await until(async () => !(await server.phone('hung up').catch(() => undefined)), 5000, 'the phone leaves')
      .catch((e) => { throw new Error(`${e.message}\n${server.log.slice(-1500)}\n${other.log}\n${far.messages().slice(-2000)}`); });
    assert.match(far.messages(), /^SIP\/2\.0 200 OK\r?\n(?:.*\r?\n)*?CSeq: 1 BYE/m);
  } finally { await other.stop(); await far.stop(); }
});

test('IPv6: a name with AAAA only, and an address', async () => {
  const both = await Server.start({ dev: false, listen: null, simulator: false, yaml: `development: true\ndns_servers: ["${names.address}"]\n` });
  const far = await sipp('uas_routed.xml', folder, { host: '::1' });
  try {
    names.records.push(['six.test', 'AAAA', '::1']);
    for (const [name, address] of [['name', `six.test:${far.port}`], ['address', `[::1]:${far.port}`]]) {
      const made = await both.cli(['sip', 'outbound', 'create', JSON.stringify({ trunk: { name, address, numbers: ['+12025550199'] } })]);
      assert.equal(made.code, 0, made.err);
      const dialed = await both.dial(name, '+12025550123', { trunk: name, wait_until_answered: true });
      assert.equal(dialed.json?.success, true, `${dialed.text}\n${both.log}`);
      await both.post('/livekit/sip/hangup', { room: name, participant_identity: dialed.json.participant_identity });
    }
    await until(() => (far.messages().match(/^BYE sip:/gm) ?? []).length === 2, 5000, 'both BYEs');
    assert.match(far.messages(), new RegExp(`^Via: SIP/2\\.0/UDP \\[::1\\]:${both.sipPort};rport`, 'm'));
  } finally { await far.stop(); await both.stop(); }
});

test('sipp by TCP', async () => {
  const far = await sipp('uas_routed.xml', folder, { transport: 't1' });
  try {
    await trunk('tcp', { address: `127.0.0.1:${far.port}`, transport: 'SIP_TRANSPORT_TCP' });
    const dialed = await dial('tcp');
    assert.equal(dialed.json?.success, true, `${dialed.text}\n${far.messages()}`);
    assert.match(far.messages(), /^Via: SIP\/2\.0\/TCP /m);
    await hangUp('tcp', dialed);
    await until(() => /^BYE sip:/m.test(far.messages()), 5000, 'BYE');
  } finally { await far.stop(); }
});
