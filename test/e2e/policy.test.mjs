// Who may be called, how often and how many at once; and the command that says so beforehand.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { AccessToken } from 'livekit-server-sdk';
import { KEY, SECRET, Server, until } from './lib/server.mjs';

let server;
before(async () => { server = await Server.start(); });
after(async () => { await server.stop(); });

// A trunk to the simulator with limits of its own.
async function trunk(name, policy, more = {}) {
  const r = await server.cli(['sip', 'outbound', 'create', JSON.stringify({ trunk: {
    name, address: `127.0.0.1:${server.simulatorPort}`, numbers: ['+12025550199'], auth_username: 'simulator', auth_password: 'simulator',
    metadata: JSON.stringify({ ringdown: { policy } }), ...more } })]);
  assert.equal(r.code, 0, r.err);
}
const check = async (number, ...options) => {
  const r = await server.cli(['policy', 'check', number, '--json', ...options]);
  return { ...r, json: r.out ? JSON.parse(r.out) : undefined };
};
const status = async (room) => (await server.phone(room))?.attributes['sip.callStatus'];
const neverAnswers = '+12025550111';

test('a trunk calls its own country, and what it lists', async () => {
  await trunk('us', {});
  await trunk('de', {}, { destination_country: 'DE' });
  await trunk('listed', { allowed_countries: ['+371'] });
  for (const [name, number, code] of [['us', '+12025550111'], ['us', '+4930123456', 'country_not_allowed'], ['de', '+4930123456'],
    ['de', '+12025550111', 'country_not_allowed'], ['listed', '+37120555012'], ['listed', '+12025550111', 'country_not_allowed'],
    ['us', '+18765550123', 'country_not_allowed'], ['us', '+19005550123', 'number_blocked'], ['us', '112', 'number_blocked'],
    ['us', 'bob', 'invalid_phone_number']]) {
    const said = await check(number, '--trunk', name);
    assert.equal(said.code, code ? 1 : 0, `${name} ${number}: ${said.out}${said.err}`);
    assert.equal(said.json.code, code ?? null);
    assert.equal(said.json.allowed, !code);
    // Dialling says the same.
    if (!code) continue;
    const dialed = await server.dial('refused', number, { trunk: name });
    assert.equal(dialed.json.error.code, code, dialed.text);
    assert.equal(dialed.json.error.message, said.json.reason);
    await assert.rejects(server.sip.createSipParticipant((await server.sip.listSipOutboundTrunk()).find((t) => t.name === name).sipTrunkId, number, 'refused'),
      (e) => e.code === (code === 'invalid_phone_number' ? 'invalid_argument' : 'permission_denied') && e.message.includes(said.json.reason));
  }
  const wrong = await check('+12025550111', '--trunk', 'nobody');
  assert.equal(wrong.code, 2, wrong.out + wrong.err);
});

test('past its calls per second a call waits for its turn, then is refused', async () => {
  await trunk('slow', { calls_per_second: 1 });
  const rooms = Array.from({ length: 12 }, (_, i) => `slow-${i}`);
  const answers = [];
  for (const room of rooms) answers.push(await server.dial(room, neverAnswers, { trunk: 'slow' }));
  assert.ok(answers.slice(0, 10).every((a) => a.status === 200), answers.map((a) => a.text).join('\n'));
  const last = answers[11];
  assert.equal(last.status, 429, last.text);
  assert.equal(last.json.error.code, 'rate_limited');
  assert.ok(last.json.error.retry_after > 0 && last.json.error.retry_after <= 12);
  assert.match(last.json.error.message, /1 calls per second .*ringdown\.policy\.calls_per_second/);
  assert.equal(await status(rooms[1]), 'dialing');
  const said = await check(neverAnswers, '--trunk', 'slow');
  assert.equal(said.json.rules.find((r) => r.rule === 'rate').allowed, false);
  await until(async () => (await status(rooms[1])) === 'ringing', 4000, 'the second has its turn');
  assert.equal(await status(rooms[9]), 'dialing');
  // Whoever waits can be hung up too.
  for (const room of rooms) await server.rooms.deleteRoom(room).catch(() => {});
  await until(() => server.log.match(/dialing -> ended/g)?.length >= 8, 3000, 'they end');
});

test('calls at once: of a trunk', async () => {
  await trunk('one', { max_calls: 1 });
  const first = await server.dial('one-a', neverAnswers, { trunk: 'one' });
  assert.equal(first.status, 200, first.text);
  const second = await server.dial('one-b', '+12025550117', { trunk: 'one' });
  assert.equal(second.status, 429, second.text);
  assert.equal(second.json.error.code, 'too_many_calls');
  assert.match(second.json.error.message, /1 calls on this trunk.*ringdown\.policy\.max_calls/);
  await server.post('/livekit/sip/hangup', { room: 'one-a', participant_identity: first.json.participant_identity });
  const third = await until(async () => { const r = await server.dial('one-b', '+12025550117', { trunk: 'one' }); return r.status === 200 && r; }, 3000, 'its place is free again');
  await server.post('/livekit/sip/hangup', { room: 'one-b', participant_identity: third.json.participant_identity });
});

test('the longest call ends by itself', async () => {
  await trunk('short', { max_call_duration_s: 2 });
  const dialed = await server.dial('short', '+12025550117', { trunk: 'short', wait_until_answered: true });
  assert.equal(dialed.status, 200, dialed.text);
  await until(async () => !(await server.phone('short')), 5000, 'its end');
  assert.match(server.log, /max_duration/);
});

test('extensions of a PBX, where its trunk says so', async () => {
  await trunk('pbx', { extensions: true });
  assert.equal((await check('1001', '--trunk', 'us')).code, 1);
  assert.equal((await check('1001', '--trunk', 'pbx')).code, 0);
  const dialed = await server.dial('pbx', '1001', { trunk: 'pbx', wait_until_answered: true });
  assert.ok(dialed.json.error.sip_status >= 400, `it reached the far end: ${dialed.text}`);
});

test('calls at once talk from the minutes that are left, and have no more than those', async () => {
  const small = await Server.start({ sip: ['minutes_per_day: 1'] });
  try {
    // Fifteen of them talk a minute away in four seconds.
    const t = new AccessToken(KEY, SECRET, { identity: 'ann' });
    t.addSIPGrant({ call: true });
    const headers = { authorization: `Bearer ${await t.toJwt()}` };
    const dials = await Promise.all(Array.from({ length: 15 }, (_, i) => small.dial(`purse-${i}`, '+12025550117', { wait_until_answered: true }, headers)));
    for (const d of dials) assert.equal(d.status, 200, d.text);
    const calls = await until(async () => {
      const list = JSON.parse((await small.cli(['calls', '--json'])).out);
      return list.every((c) => c.ending) && list;
    }, 8000, 'they end');
    assert.equal(calls.length, 15);
    assert.ok(calls.every((c) => c.ending.code === 'minutes_used_up' && c.ending.ended_by === 'policy'), JSON.stringify(calls.map((c) => c.ending)));
    const talked = calls.reduce((sum, c) => sum + c.talk_ms, 0);
    assert.ok(talked > 40000 && talked <= 90000, `${talked} ms`); // a busy machine looks late; alone each would have had 60 s
    const said = JSON.parse((await small.cli(['policy', 'check', '+12025550117', '--json'])).out);
    assert.ok(said.allowed ? said.longest_s < 16 : said.code === 'minutes_used_up', JSON.stringify(said));
  } finally { await small.stop(); }
});

test('who tried to call whom is kept, and a flood of it in few records', async () => {
  const own = await Server.start();
  try {
    const t = new AccessToken(KEY, SECRET, { identity: 'eve' });
    t.addSIPGrant({ call: true });
    const headers = { authorization: `Bearer ${await t.toJwt()}` };
    const refused = async () => JSON.parse((await own.cli(['calls', '--refused', '--json', '--limit', '1000'])).out);
    const first = await own.dial('tried', '+1 900 555 0199', {}, headers);
    assert.equal(first.status, 403, first.text);
    const [one] = await refused();
    assert.equal(one.state, 'refused');
    assert.equal(one.number, '+19005550199');
    assert.deepEqual(one.asked_by, { api_key: KEY, identity: 'eve' });
    assert.equal(one.ending.message, first.json.error.message);
    assert.equal(one.ending.code, 'number_blocked');
    const shown = await own.cli(['calls', 'show', one.id]);
    assert.match(shown.out, /Refused +SRF_\w+\n[^]*Asked by +eve with API key devkey\n[^]*premium/);
    for (let i = 0; i < 60; ++i) await own.dial('flood', '+19005550199', {}, headers);
    const all = await refused();
    assert.equal(all.reduce((n, c) => n + c.attempts, 0), 61);
    assert.ok(all.length <= 22, `${all.length} records`); // of two minutes at most
    assert.ok(JSON.parse((await own.cli(['calls', '--json'])).out).some((c) => c.state === 'refused'));
  } finally { await own.stop(); }
});

test('CreateSIPParticipant has no way past the rules: inline trunks, addresses and texts of its own', async () => {
  const t = new AccessToken(KEY, SECRET, { identity: 'eve' });
  t.addSIPGrant({ call: true });
  const headers = { authorization: `Bearer ${await t.toJwt()}`, 'content-type': 'application/json' };
  const create = async (body) => {
    const r = await fetch(`${server.http}/twirp/livekit.SIP/CreateSIPParticipant`, { method: 'POST', headers,
      body: JSON.stringify({ room_name: 'past', participant_identity: 'eve', ...body }) });
    return (await r.json()).code;
  };
  const host = `127.0.0.1:${server.simulatorPort}`;
  const id = (await server.sip.listSipOutboundTrunk()).find((o) => o.name === 'simulator').sipTrunkId;
  // The trunk that is kept at this host calls its own country, whatever another one says of itself.
  assert.equal(await create({ trunk: { hostname: host, destination_country: 'LV' }, sip_number: '+37120555000', sip_call_to: '+37120555012' }), 'permission_denied');
  assert.equal(await create({ trunk: { hostname: '127.0.0.1' }, sip_number: '+37120555000', sip_call_to: '+37120555012' }), 'permission_denied');
  assert.equal(await create({ sip_trunk_id: id, sip_number: '+37120555000', sip_call_to: '+37120555012' }), 'permission_denied');
  assert.equal(await create({ sip_trunk_id: id, sip_call_to: '+12025550111', to_user_override: '+19005550123' }), 'permission_denied');
  assert.equal(await create({ sip_trunk_id: id, sip_call_to: '19005550123', sip_request_uri: { raw: `sip:+12025550111@${host}` } }), 'permission_denied');
  for (const uri of [`sip:19005550123@${host}`, `sip:%2B19005550123@${host}`, `sip:+12025550111;isub=1@${host}`, `sip:+12025550111@${host};rn=+19005550123`])
    assert.equal(await create({ sip_trunk_id: id, sip_call_to: '+12025550111', sip_request_uri: { raw: uri } }), 'invalid_argument', uri);
  for (const name of ['To', 'Route', 'Via', 'Refer-To'])
    assert.equal(await create({ sip_trunk_id: id, sip_call_to: '+12025550111', headers: { [name]: '<sip:+19005550123@x>' } }), 'invalid_argument', name);
  assert.doesNotMatch(server.log, /into room past/);
});
