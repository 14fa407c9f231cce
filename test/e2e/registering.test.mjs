// Trunks that register: kamailio as the registrar and proxy of a carrier in sipgate's manner, sipp as the phone behind it.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Server, freePorts, until } from './lib/server.mjs';
import { makeAuthority, makeCertificate } from './lib/edge.mjs';
import { nameServer } from './lib/names.mjs';
import { kamailio, sipp } from './lib/peers.mjs';

let folder, authority, names, server, phone, carrier, metrics, nobody;
before(async () => {
  [metrics, nobody] = await freePorts(2);
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'ringdown-registering-'));
  authority = makeAuthority(folder);
  names = await nameServer([]);
  server = await Server.start({ yaml: `prometheus_port: ${metrics}\ndns_servers: ["${names.address}"]\n`, sip: [`tls: {port: 0, ca_file: ${authority.ca}}`] });
  phone = await sipp('uas407b.xml', server.folder);
  carrier = await kamailio(server.folder, phone.port);
});
after(async () => {
  await server.stop();
  for (const p of [carrier, phone, names]) await p.stop();
  fs.rmSync(folder, { recursive: true, force: true });
});

const options = (o) => JSON.stringify({ ringdown: o });
async function trunk(name, more, o) {
  const r = await server.cli(['sip', 'outbound', 'create', JSON.stringify({ trunk: {
    name, address: `127.0.0.1:${carrier.port}`, numbers: ['+12025550199'], auth_username: '2345678e0', auth_password: 'geheim', metadata: options(o), ...more } })]);
  assert.equal(r.code, 0, r.err);
  return r.out.match(/ST_\w+/)[0];
}
async function health(name) {
  const r = await fetch(`${server.http}/livekit/sip/trunks`);
  assert.equal(r.status, 200);
  return (await r.json()).trunks.find((t) => t.name === name);
}
// kamailio's log comes by a pipe, perhaps after what it tells of.
const logged = (what) => until(() => what.test(carrier.log), 5000, `${what} in kamailio's log`).catch((e) => { throw new Error(`${e.message}\n${carrier.log}`); });
const registrations = () => [...carrier.log.matchAll(/TEST registered 2345678e0 for (\d+)/g)].map((m) => Number(m[1]));

test('a trunk registers by digest, obeys 423, refreshes, and calls as its account', async () => {
  const id = await trunk('sipgate', {}, { register: { expires_s: 10 } });
  const up = await until(async () => { const h = await health('sipgate'); return h.registration?.registered && h; }, 5000, 'registered').catch((e) => { throw new Error(`${e.message}\n${server.log}\n${carrier.log}`); });
  assert.equal(up.state, 'up');
  assert.equal(up.registration.expires_s, 4, 'what kamailio grants');
  assert.equal(up.registration.address, 'sip:2345678e0@127.0.0.1');
  assert.equal(up.problem, null);
  await logged(/TEST registered 2345678e0/);
  assert.equal(registrations()[0], 60, 'asked for 10 s, told 423 with Min-Expires: 60');
  const list = await server.cli(['sip', 'outbound', 'list']);
  assert.match(list.out, /up, registered/);
  const [item] = JSON.parse((await server.cli(['sip', 'outbound', 'list', '--json'])).out).items.filter((t) => t.name === 'sipgate');
  assert.equal(item.health.registration.registered, true);
  assert.equal(item.auth_password ?? item.authPassword, '****');

  const dialed = await server.dial('sipgate', '+12025550123', { trunk: 'sipgate', wait_until_answered: true });
  assert.equal(dialed.json?.success, true, `${dialed.text}\n${carrier.log}`);
  const seen = phone.messages();
  assert.match(seen, /^From: "\+12025550199" <sip:2345678e0@127\.0\.0\.1>/m);
  assert.match(seen, /^P-Preferred-Identity: "\+12025550199" <sip:\+12025550199@127\.0\.0\.1>/m);
  await logged(new RegExp(`TEST invite from 2345678e0@127.0.0.1 route=<sip:127.0.0.1:${carrier.port};lr> contact=<sip:2345678e0@`));
  await server.post('/livekit/sip/hangup', { room: 'sipgate', participant_identity: dialed.json.participant_identity });
  await until(() => /BYE sip:/.test(phone.messages()), 5000, 'BYE goes by the route set');

  await until(() => registrations().length > 1, 4000, 'refreshed half way');
  assert.ok(!registrations().includes(0));
  assert.equal((await server.cli(['sip', 'outbound', 'delete', id])).code, 0);
  await until(() => registrations().includes(0), 5000, 'taken away with its trunk');
});

test('two phones of one user, and one that keeps its number in From', async () => {
  const ids = [await trunk('first', {}, { register: { enabled: true } }), await trunk('second', {}, { register: { enabled: true }, from_user: 'number', identity_header: 'pai' })];
  await until(async () => [1, 2].includes((await health('first')).registration?.bindings) && (await health('second')).registration?.registered, 5000, 'both');
  const both = await until(async () => { const h = await health('first'); return h.registration.bindings === 2 && h; }, 6000, 'the other binding is seen');
  assert.equal(both.registration.registered, true);
  const refused = await server.dial('number', '+12025550123', { trunk: 'second', wait_until_answered: true });
  assert.equal(refused.json?.success, false);
  await logged(/TEST invite from \+12025550199@127\.0\.0\.1/);
  for (const id of ids) assert.equal((await server.cli(['sip', 'outbound', 'delete', id])).code, 0);
});

test('the caller is shown as each carrier wants it', async () => {
  await trunk('rpid', { address: `127.0.0.1:${phone.port}` }, { from_user: 'acct', identity_header: 'rpid', number_format: 'digits', tech_prefix: '0011', user_phone: true });
  const dialed = await server.dial('rpid', '+12025550123', { trunk: 'rpid', wait_until_answered: true });
  assert.equal(dialed.json?.success, true, dialed.text);
  const seen = phone.messages();
  assert.match(seen, /^INVITE sip:001112025550123@127\.0\.0\.1:\d+;user=phone SIP/m);
  assert.match(seen, /^Remote-Party-ID: "12025550199" <sip:12025550199@[^>]*;user=phone>;party=calling;screen=yes;privacy=off/m);
  assert.match(seen, /^From: "12025550199" <sip:acct@/m);
  await server.post('/livekit/sip/hangup', { room: 'rpid', participant_identity: dialed.json.participant_identity });
});

test('OPTIONS tell whether a trunk is there', async () => {
  await trunk('there', {}, { options_interval_s: 30 });
  await trunk('nobody', { address: `127.0.0.1:${nobody}` }, { options_interval_s: 30 });
  const up = await until(async () => { const x = await health('there'); return x.state === 'up' && x; }, 5000, 'up');
  assert.equal(up.options.sip_status, 200);
  assert.equal(up.registration, null);
  const down = await until(async () => { const x = await health('nobody'); return x.state === 'down' && x; }, 5000, 'down');
  assert.match(down.problem, new RegExp(`127.0.0.1:${nobody} refuses connections or cannot be reached`));
  const page = await (await fetch(`http://127.0.0.1:${metrics}/metrics`)).text();
  assert.match(page, /^ringdown_trunk_up\{.*trunk="there"\} 1$/m);
  assert.match(page, /^ringdown_trunk_up\{.*trunk="nobody"\} 0$/m);
  assert.doesNotMatch(page, /ringdown_trunk_up\{.*trunk="rpid"/);
  const tried = await server.dial('tried', '+12025550123', { trunk: 'nobody', wait_until_answered: true });
  assert.equal(tried.json?.success, false);
  assert.match(server.log, /seems down, and is tried all the same: 127/);
});

test('a wrong password is a sentence, and a trunk that goes is down', async () => {
  await trunk('wrong', { auth_password: 'falsch' }, { register: { enabled: true } });
  const h = await until(async () => { const x = await health('wrong'); return x.state === 'down' && x; }, 5000, 'down');
  assert.match(h.problem, /asks for a user name and password \(401\) and does not accept the configured ones\. The user is "2345678e0"/);
  assert.equal(h.registration.state, 'failed');
  assert.ok(h.registration.next_in_ms > 100000, `no hammering: ${h.registration.next_in_ms} ms`);
  assert.doesNotMatch(server.log, /falsch/);
  const refused = await server.dial('wrong', '+12025550123', { trunk: 'wrong', wait_until_answered: true });
  assert.match(refused.text, /The trunk is not registered: 127\.0\.0\.1:\d+ asks for a user name and password/);
  const list = await server.cli(['sip', 'outbound', 'list']);
  assert.match(list.out, /down: .*does not accept the configured ones/);

  await trunk('going', {}, { register: { enabled: true } });
  await until(async () => (await health('going')).state === 'up', 5000, 'up');
  await carrier.stop();
  const gone = await until(async () => { const x = await health('going'); return x.state === 'down' && x; }, 9000, 'down when its binding has ended');
  assert.match(gone.problem, /refuses connections or cannot be reached|No answer/);
  carrier = await kamailio(server.folder, phone.port);
});

test('by TLS, at the server that the domain names', async () => {
  const secure = await kamailio(server.folder, phone.port, makeCertificate(folder, authority, 'registrar', 'DNS:sip.carrier.test,DNS:carrier.test'));
  names.records.push(['_sips._tcp.carrier.test', 'SRV', `10 10 ${secure.tlsPort} sip.carrier.test`], ['sip.carrier.test', 'A', '127.0.0.1']);
  try {
    await trunk('secure', { address: 'carrier.test', transport: 'SIP_TRANSPORT_TLS' }, { register: { enabled: true } });
    const h = await until(async () => { const x = await health('secure'); return x.state !== 'unknown' && x; }, 8000, 'asked');
    assert.equal(h.state, 'up', `${h.problem}\n${secure.log}`);
    assert.equal(h.registration.registrar, `127.0.0.1:${secure.tlsPort}`);
    assert.equal(h.registration.address, 'sip:2345678e0@carrier.test');
  } finally { await secure.stop(); }
});

test('a server that stops takes its bindings away', async () => {
  await trunk('last', {}, { register: { enabled: true } });
  await until(async () => (await health('last')).state === 'up', 5000, 'up');
  assert.ok(!registrations().includes(0));
  const began = Date.now();
  await server.stop();
  await until(() => registrations().includes(0), 1000, 'taken away');
  assert.ok(Date.now() - began < 15000, 'and does not wait for those that do not answer');
});
