// Every row of docs/endings.md that a far end can cause, caused by one that we did not write: sipp answers each called number
// with that row's status and headers, and the answer, the record and the commands must say what the page says.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import dgram from 'node:dgram';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Server, until, freePorts } from './lib/server.mjs';
import { numberOf, rowsUnder, sentencePattern, startEndings } from './lib/endings.mjs';

// Where a carrier's sign goes with another status than 403.
const STATUS_OF_TWILIO = { 32006: 483, 32009: 480, 32100: 400, 32101: 400, 32102: 400, 32103: 400, 32001: 503, 32012: 503, 32016: 503, 32207: 488, 32208: 488, 32209: 488 };
const STATUS_OF_TELNYX = { D18: 404, D19: 404, D40: 404, D21: 480, RG1: 480, B3: 488, PE: 503, P05: 503 };
const LOGIN = [401, 407]; // are asked for credentials first: see the tests of the login

const row = ([, code, sentence, by, again]) => ({ code, sentence, by, again });
const cases = [
  ...rowsUnder('By the SIP status').filter(([sign]) => /^\d/.test(sign) && !LOGIN.includes(Number.parseInt(sign, 10)))
    .map((r) => ({ what: `SIP ${r[0]}`, status: r[0], ...row(r) })),
  ...[['699 Odd', 'other 6xx'], ['599 Odd', 'other 5xx'], ['499 Odd', 'other 4xx'], ['399 Odd', 'other 3xx']]
    .map(([status, name]) => ({ what: name, status, ...row(rowsUnder('By the SIP status').find(([sign]) => sign === name)) })),
  ...rowsUnder("By Twilio's error number").map((r) => ({ what: `X-Twilio-Error ${r[0]}`, status: `${STATUS_OF_TWILIO[r[0]] ?? 403} Refused`,
    headers: [`X-Twilio-Error: ${r[0]} some words`], carrier: r[0], ...row(r) })),
  ...rowsUnder("By Telnyx's suffix").map((r) => ({ what: `Telnyx ${r[0]}`, status: `${STATUS_OF_TELNYX[r[0]] ?? 403} Some words ${r[0]}`, carrier: r[0], ...row(r) })),
  ...rowsUnder("By the carrier's words").map((r) => ({ what: `words ${r[0]}`, status: `403 So: ${r[0].replaceAll('"', '')}, sorry`, ...row(r) })),
  ...rowsUnder("By the phone network's cause").map((r) => ({ what: `Q.850 ${r[0]}`, status: '503 Service Unavailable',
    headers: [`Reason: Q.850;cause=${Number.parseInt(r[0], 10)};text="x"`], q850: Number.parseInt(r[0], 10), ...row(r) })),
  ...rowsUnder('By the warning').map((r) => ({ what: `Warning ${r[0]}`, status: '488 Not Acceptable Here',
    headers: [`Warning: ${Number.parseInt(r[0], 10)} far.example "x"`], ...row(r) })),
  { what: 'words in a body', status: '403 Forbidden', body: 'Trunk CPS limit exceeded', code: 'provider_rate', by: 'policy', again: 'later, 1 s' },
  { what: 'Retry-After', status: '503 Service Unavailable', headers: ['Retry-After: 17'], code: 'trunk_error', by: 'carrier', again: 'later, 17 s', says: /in 17 seconds/ },
];
const hangups = [
  { what: 'BYE', headers: [], code: 'far_end_hung_up', by: 'far_end' },
  { what: 'BYE, an ordinary cause', headers: ['Reason: Q.850;cause=16;text="Normal call clearing"'], code: 'far_end_hung_up', by: 'far_end', q850: 16 },
  { what: 'BYE, a failure', headers: ['Reason: Q.850;cause=41;text="Temporary failure"'], code: 'far_end_cut', by: 'network', q850: 41, says: /Q\.850 cause 41, Temporary failure/ },
  { what: 'BYE after an answer that came four times', answers: 4, code: 'ack_unseen', by: 'network', says: /our ACK never reached it/ },
  { what: 'never a sound', kind: 'quiet', code: 'no_media', by: 'network', says: /send to 127\.0\.0\.1: if that is a private address/ },
].map((h) => ({ kind: 'hangup', ...h }));
const PER_PEER = 60;
const all = [...cases, ...hangups].map((c, i) => Object.assign(c, { i, trunk: `endings-${Math.floor(i / PER_PEER)}` }));

let server;
const far = [];
before(async () => {
  server = await Server.start({ sip: ['media_timeout_initial: 700ms'] });
  for (let i = 0; i < all.length; i += PER_PEER) {
    far.push(await startEndings(all.slice(i, i + PER_PEER), server.folder));
    await trunk(all[i].trunk, far.at(-1).port);
  }
});
after(async () => { await Promise.all(far.map((f) => f.stop())); await server.stop(); });

async function trunk(name, port, more = {}) {
  const r = await server.cli(['sip', 'outbound', 'create', JSON.stringify({ trunk: { name, address: `127.0.0.1:${port}`, numbers: ['+12025550199'], ...more } })]);
  assert.equal(r.code, 0, r.err);
}
const get = async (p) => (await fetch(server.backend + p)).json();
const record = async (id) => (await get(`/livekit/sip/calls/${id}`)).call;
const spoken = ({ retry, retry_after }) => (retry_after ? `${retry}, ${retry_after} s` : retry);

function check(c, said, where) {
  const told = `${c.what}, ${where}: ${JSON.stringify(said)}`;
  assert.equal(said.code, c.code, told);
  assert.equal(said.ended_by, c.by, told);
  if (c.again) assert.equal(spoken(said), c.again, told);
  if (c.sentence) assert.match(said.message, sentencePattern(c.sentence), told);
  if (c.says) assert.match(said.message, c.says, told);
  if (c.carrier) assert.equal(said.carrier_code, c.carrier, told);
  if (c.q850) assert.equal(said.q850, c.q850, told);
}

test(`each of ${cases.length} final answers is explained as docs/endings.md says, at once and in the record`, async () => {
  for (let i = 0; i < cases.length; i += 16)
    await Promise.all(cases.slice(i, i + 16).map(async (c) => {
      const dialed = await server.dial(`ending-${c.i}`, numberOf(c.i), { trunk: c.trunk, wait_until_answered: true });
      assert.equal(dialed.json?.success, false, `${c.what}: ${dialed.text}`);
      const { error } = dialed.json;
      check(c, error, 'answer');
      assert.equal(error.sip_status, Number.parseInt(c.status, 10), c.what);
      const kept = await record(error.sip_call_id);
      check(c, kept.ending, 'record');
      assert.equal(kept.ending.sip_status, error.sip_status);
      assert.equal(kept.state, 'ended');
      assert.ok(kept.ladder.some((m) => m.sent && m.message.startsWith('INVITE ')) && kept.ladder.some((m) => !m.sent && m.message.startsWith(`SIP/2.0 ${c.status}`)), c.what);
      assert.ok(kept.times.asked && kept.times.invite && kept.times.first_response && kept.times.ended, c.what);
    }));
});

for (const h of hangups)
  test(`the far end hangs up: ${h.what}`, async () => {
    const dialed = await server.dial(`hangup-${h.i}`, numberOf(h.i), { trunk: h.trunk, wait_until_answered: true });
    assert.equal(dialed.json?.success, true, dialed.text);
    const kept = await until(async () => { const r = await record(dialed.json.sip_call_id); return r.ending && r; }, 5000, 'it ends');
    check(h, kept.ending, 'record');
    assert.ok(kept.times.answered <= kept.times.ended && kept.talk_ms >= 0);
    if (h.answers) assert.equal(kept.ladder.filter((m) => m.sent && m.message.startsWith('ACK ')).length, h.answers);
    assert.deepEqual(kept.codec, { name: 'PCMU', clock_rate: 8000, payload_type: 0, protocol: 'RTP/AVP' });
    assert.match(kept.answer, /^v=0/);
  });

test('the login: none, a wrong one; the password and what was made of it are not kept', async () => {
  const login = await import('./lib/peers.mjs').then(({ sipp }) => sipp('uas403.xml', server.folder));
  try {
    await trunk('nobody', login.port);
    await trunk('wrong', login.port, { auth_username: 'alice', auth_password: 'geheimes-wort' });
    const none = await server.dial('login', '+12025560001', { trunk: 'nobody', wait_until_answered: true });
    check({ what: 'no login', code: 'credentials_missing', by: 'carrier', again: 'when_fixed', says: /"nobody"/ }, none.json.error, 'answer');
    const wrong = await server.dial('login', '+12025560002', { trunk: 'wrong', wait_until_answered: true });
    check({ what: 'a wrong login', code: 'credentials', by: 'carrier', again: 'when_fixed', says: /auth_password/ }, wrong.json.error, 'answer');
    const kept = await record(wrong.json.error.sip_call_id);
    const [authorization] = kept.ladder.map((m) => m.message.match(/^Proxy-Authorization: .*$/m)?.[0]).filter(Boolean);
    assert.match(authorization, /username="alice"/);
    assert.match(authorization, /response="\*{32}"/);
    assert.doesNotMatch(fs.readFileSync(path.join(server.folder, 'calls.db')).toString('latin1'), /geheimes-wort/);
  } finally { await login.stop(); }
});

test('faults without an answer, and ends from the room', async () => {
  const [dead] = await freePorts(1);
  await trunk('dead', dead);
  await server.cli(['sip', 'outbound', 'create', JSON.stringify({ trunk: { name: 'nowhere', address: 'no-such-host.invalid', numbers: ['+12025550199'] } })]);
  const unreachable = await server.dial('faults', '+12025550100', { trunk: 'dead', wait_until_answered: true, ringing_timeout: 3 });
  check({ what: 'refused', code: 'trunk_unreachable', by: 'network', again: 'when_fixed', says: new RegExp(`"dead" at 127\\.0\\.0\\.1:${dead}`) }, unreachable.json.error, 'answer');
  const nowhere = await server.dial('faults', '+12025550100', { trunk: 'nowhere', wait_until_answered: true, ringing_timeout: 10 });
  check({ what: 'DNS', code: 'trunk_address', by: 'us', again: 'when_fixed', says: /no-such-host\.invalid/ }, nowhere.json.error, 'answer');
  const hole = dgram.createSocket('udp4');
  await new Promise((r) => hole.bind(0, '127.0.0.1', r));
  await trunk('hole', hole.address().port);
  const swallowed = await server.dial('faults', '+12025550100', { trunk: 'hole', wait_until_answered: true, ringing_timeout: 0.7 });
  check({ what: 'nothing comes back', code: 'trunk_unreachable', by: 'network', again: 'when_fixed', says: /^Nothing came back from the trunk "hole"/ }, swallowed.json.error, 'answer');
  hole.close();
  const silent = await server.dial('faults', '+12025550111', { trunk: 'simulator', wait_until_answered: true, ringing_timeout: 0.5 });
  check({ what: 'rings on', code: 'no_answer', by: 'far_end', again: 'later' }, silent.json.error, 'answer');

  const up = async (room) => (await server.dial(room, '+12025550101', { trunk: 'simulator', wait_until_answered: true })).json;
  const ending = (id) => until(async () => (await record(id)).ending, 5000, 'it ends');
  const hung = await up('ends-1');
  await server.post('/livekit/sip/hangup', { sip_call_id: hung.sip_call_id });
  check({ what: 'hangup', code: 'hung_up', by: 'room', again: 'no' }, await ending(hung.sip_call_id), 'record');
  const removed = await up('ends-2');
  await server.rooms.removeParticipant('ends-2', removed.participant_identity);
  check({ what: 'removed', code: 'removed', by: 'room', again: 'no' }, await ending(removed.sip_call_id), 'record');
  const deleted = await up('ends-3');
  await server.rooms.deleteRoom('ends-3');
  check({ what: 'room deleted', code: 'room_deleted', by: 'room', again: 'no' }, await ending(deleted.sip_call_id), 'record');
});

test('a call that is too long, and a server that stops', async () => {
  const s = await Server.start();
  let again;
  try {
    const [{ sipTrunkId }] = await s.sip.listSipOutboundTrunk();
    const long = await s.sip.createSipParticipant(sipTrunkId, '+12025550101', 'long', { maxCallDuration: 1, waitUntilAnswered: true });
    const kept = async (id) => (await (await fetch(`${(again ?? s).backend}/livekit/sip/calls/${id}`)).json()).call;
    const ending = await until(async () => (await kept(long.sipCallId)).ending, 5000, 'it ends');
    check({ what: 'too long', code: 'max_duration', by: 'policy', again: 'no' }, ending, 'record');
    const up = (await s.dial('up', '+12025550101', { wait_until_answered: true })).json;
    await s.stop(true);
    again = await Server.start({ data: s.folder });
    const stopped = await kept(up.sip_call_id);
    check({ what: 'stopped', code: 'server_shutdown', by: 'us', again: 'later' }, stopped.ending, 'record');
    assert.ok(stopped.ladder.some((m) => m.sent && m.message.startsWith('BYE ')), 'its BYE is kept');
  } finally { await (again ?? s).stop(); }
});

test('the commands list and show calls; the capture file opens', async () => {
  const listed = await server.cli(['calls', '--failed', '--since', '1h', '--limit', '1000', '--json']);
  assert.equal(listed.code, 0, listed.err);
  const calls = JSON.parse(listed.out);
  assert.ok(calls.length >= cases.length, `${calls.length} of ${cases.length}`);
  assert.ok(calls.every((c) => c.ending?.code && c.offer === undefined));
  const busy = calls.find((c) => c.ending.sip_status === 486);
  const table = await server.cli(['calls', '--number', busy.number, '--trunk', busy.trunk.name, '--room', busy.room]);
  assert.match(table.out, /│ SCL_\w+ +│ \d{4}-\d\d-\d\d \d\d:\d\d:\d\d │ \+1202556\d+ │ endings-0 +│ ending-\d+ │ busy \(486\) │/);
  const shown = await server.cli(['calls', 'show', busy.id]);
  assert.match(shown.out, /Outcome +busy \(486\)\n +The line \+1202556\d+ is busy\. Call again in 60 seconds\.\n/);
  const ladder = await server.cli(['calls', 'show', '--ladder', busy.id]);
  assert.match(ladder.out, /us 127\.0\.0\.1:\d+ +UDP 127\.0\.0\.1:\d+\n +0\.000 s {2}\|- INVITE \(1\) with SDP -+>\|\n +\d\.\d{3} s {2}\|<-+ 486 Busy Here \(1 INVITE\) -\|\n.*\|- ACK \(1\) -+>\|\n$/);
  const file = path.join(server.folder, 'busy.pcap');
  assert.equal((await server.cli(['calls', 'show', busy.id, '--pcap', file])).code, 0);
  const read = execFileSync('tcpdump', ['-n', '-A', '-r', file], { stdio: ['ignore', 'pipe', 'ignore'] }).toString();
  assert.match(read, /IP 127\.0\.0\.1\.\d+ > 127\.0\.0\.1\.\d+: (UDP|SIP)[^]*INVITE sip:\+1202556[^]*SIP\/2\.0 486 Busy Here/);
  for (const args of [['calls', 'show', 'SCL_none'], ['calls', 'show', '../x'], ['calls', '--since', 'yesterday']]) {
    const r = await server.cli(args);
    assert.notEqual(r.code, 0, args.join(' '));
    assert.match(r.err, /no record of a call SCL_none|which call\?|--since: expected/);
  }
});

test('whoever is no administrator reads nothing', async () => {
  const shut = await Server.start({ dev: false });
  try {
    const ask = async (grant) => {
      const { AccessToken } = await import('livekit-server-sdk');
      const t = new AccessToken('devkey', 'secret', { identity: 'app' });
      if (grant) t.addSIPGrant(grant);
      return fetch(`${shut.backend}/livekit/sip/calls`, grant === undefined ? {} : { headers: { authorization: `Bearer ${await t.toJwt()}` } });
    };
    assert.equal((await ask(undefined)).status, 401);
    assert.equal((await ask({ call: true })).status, 401);
    assert.equal((await ask({ admin: true })).status, 200);
    assert.equal((await fetch(`${shut.http}/livekit/sip/calls`)).status, 401);
  } finally { await shut.stop(); }
});

test('a file of records that is none does not keep the server from starting', async () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'ringdown-'));
  fs.writeFileSync(path.join(folder, 'calls.db'), 'this is no database, and long enough to look like one.\n'.repeat(100));
  const s = await Server.start({ data: folder });
  try {
    assert.match(s.log, /calls\.db, cannot be opened/);
    assert.equal((await s.dial('r', '+12025550110', { wait_until_answered: true })).json.error.code, 'busy');
    const r = await s.cli(['calls']);
    assert.match(r.err, /records_off/);
  } finally { await s.stop(); }
});

test('kill -9 loses no call that has ended, and tells of one that was up', async () => {
  const s = await Server.start();
  let again;
  try {
    const up = (await s.dial('up', '+12025550101', { wait_until_answered: true })).json;
    const ended = (await s.dial('ended', '+12025550110', { wait_until_answered: true })).json.error;
    s.wanted = true;
    await s.kill();
    again = await Server.start({ data: s.folder });
    const kept = async (id) => (await (await fetch(`${again.backend}/livekit/sip/calls/${id}`)).json()).call;
    const busy = await kept(ended.sip_call_id);
    assert.equal(busy.ending.code, 'busy');
    assert.equal(busy.ending.sip_status, 486);
    assert.ok(busy.ladder.length >= 4, `${busy.ladder.length} messages`);
    const cut = await kept(up.sip_call_id);
    assert.equal(cut.ending.code, 'interrupted');
    assert.equal(cut.state, 'ended');
    assert.ok(cut.times.answered && cut.times.ended >= cut.times.answered);
  } finally { await (again ?? s).stop(); }
});
