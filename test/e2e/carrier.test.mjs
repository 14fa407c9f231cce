// Our server against the simulated carrier (`ringdown simulate`): every row of the failure catalogue, by the trunk's host or by the
// called number, and what the carrier saw of the calls that went well.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { dispose } from '@livekit/rtc-node';
import { Server, until } from './lib/server.mjs';
import { Carrier } from './lib/carrier.mjs';
import { Person, assertTone } from './lib/people.mjs';

let server, carrier, rooms = 0;
const ours = '+12025550199';

async function trunk(host, { options = {}, ...more } = {}) {
  const address = host.includes('.') ? host : `${host}.pstn.twilio.test`;
  const r = await server.cli(['sip', 'outbound', 'create', JSON.stringify({ trunk: {
    name: host, address, numbers: [ours], auth_username: 'ringdown', auth_password: 'Simulated-Trunk-1',
    metadata: JSON.stringify({ ringdown: { outbound_proxy: `127.0.0.1:${carrier.port}`, ...options } }), ...more,
  } })]);
  assert.equal(r.code, 0, r.err);
}

before(async () => {
  server = await Server.start();
  carrier = await Carrier.start({ quirks: ['cps=0', 't1-ms=100', 'rate-ban-s=0'], numbers: {
    '+12025550150': '180 / wait 100 / answer / play tone',
    '+12025550151': 'answer / play silence / wait 300 / press 42# / wait 1500 / bye Q.850;cause=16',
  } });
  await trunk('ringdown');
  await trunk('open');
});
after(async () => { await server.stop(); await carrier.stop(); await dispose(); });

async function dial(name, number, room = `carrier-${rooms++}`) {
  const d = await server.dial(room, number, { trunk: name, wait_until_answered: true });
  return { ...d.json, room, text: d.text };
}
const hangUp = (d) => server.post('/livekit/sip/hangup', { room: d.room, participant_identity: d.participant_identity });

async function refused(name, number, status, code, carrierCode) {
  const { error, text } = await dial(name, number);
  assert.ok(error, `${name} ${number}: ${text}`);
  assert.deepEqual([error.sip_status, error.code, error.carrier_code], [status, code, carrierCode], `${name} ${number}: ${text}`);
  assert.ok(error.message.length > 20);
}

// By the trunk's host: the carrier really checks.
const rules = [
  ['acl', '+12025550101', 403, 'address_not_allowed', '32201'],
  ['both-foreign', '+12025550101', 403, 'address_not_allowed', '32201'],
  ['nobody', '+12025550101', 403, 'credentials', '32202'],
  ['suspended', '+12025550101', 603, 'rejected', undefined],
  ['inactive', '+12025550101', 403, 'provider_account', '32200'],
  ['owned', '+12025550101', 403, 'caller_id', '32204'],
  ['hops', '+12025550101', 483, 'routing_loop', '32006'],
  ['secure', '+12025550101', 488, 'encryption', '32209'],
  ['mocked', '+12025550101', 488, 'media', undefined],
  ['trial-legacy', '+13125550100', 400, 'unverified_number', '32100'],
  ['trial-2026', '+12025550101', 403, 'provider_account', '32200'],
];
test('what a trunk refuses by its own rules ends with its status, its code and a sentence', async () => {
  for (const [host, number, ...expected] of rules) {
    await trunk(host);
    await refused(host, number, ...expected);
  }
});

// By the called number: what the carrier says, whatever it checks.
const catalogue = `
  100 400 number_format 32101 | 101 400 unverified_number 32100 | 102 403 address_not_allowed 32201 | 103 403 number_blocked 32203
  104 603 number_blocked 32203 | 105 403 caller_id 32204 | 106 403 caller_id 32206 | 107 403 country_off_at_provider 32205
  108 403 provider_account 32200 | 109 603 rejected | 110 415 media | 111 488 encryption 32209 | 112 488 encryption 32208
  113 488 encryption 32207 | 114 400 media 32102 | 115 400 media 32103 | 116 483 routing_loop 32006 | 117 503 provider_rate 32001
  118 503 provider_rate 32012 | 119 503 provider_limit | 120 503 unreachable_number 32016 | 121 403 credentials 32202
  122 403 provider_disabled 32005 | 123 403 caller_id D35 | 124 403 provider_account D38 | 125 403 provider_limit D1
  126 403 number_blocked D41 | 127 404 unreachable_number D40 | 128 503 provider_rate P05 | 129 480 not_registered RG1
  130 403 unverified_number D60 | 131 488 encryption B3`.split(/[|\n]/).map((s) => s.trim().split(/\s+/)).filter((s) => s.length > 1);
test(`the ${catalogue.length} rows of the carriers' catalogue, each with its code`, async () => {
  for (const [last, status, code, carrierCode] of catalogue) await refused('open', `+17025550${last}`, Number(status), code, carrierCode);
});

const plain = [['100', 480, 'no_answer'], ['102', 486, 'busy'], ['103', 600, 'busy'], ['104', 404, 'unknown_number'], ['105', 410, 'unknown_number'],
  ['106', 484, 'number_incomplete'], ['107', 607, 'rejected'], ['108', 608, 'rejected'], ['109', 503, 'trunk_error'], ['111', 502, 'network_down'],
  ['112', 503, 'congested'], ['113', 488, 'media'], ['115', 301, 'redirected'], ['116', 501, 'trunk_error'], ['117', 699, 'rejected'], ['120', 420, 'extension']];
test('the endings of telephones and networks', async () => {
  for (const [last, status, code] of plain) await refused('open', `+13035550${last}`, status, code);
});

test('one call at a time: the second is told so', async () => {
  await trunk('few');
  const first = await dial('few', '+12025550150');
  assert.ok(first.success, first.text);
  await refused('few', '+12025550150', 503, 'provider_limit');
  await hangUp(first);
});

test('credentials: asked for once, with an old nonce twice', async () => {
  for (const host of ['ringdown', 'both', 'stale']) {
    if (host !== 'ringdown') await trunk(host);
    const d = await dial(host, '+12025550150');
    assert.ok(d.success, d.text);
    await hangUp(d);
    await carrier.sees('+12025550150', 'ended');
  }
  assert.ok(carrier.events.some((e) => e.event === 'challenged' && e.stale));
});

// A good call as the carrier sees it, over each transport.
for (const transport of ['UDP', 'TCP']) {
  test(`${transport}: the ACK and the BYE follow the route to a private Contact, and the sound is right`, async () => {
    const name = `open.pstn.${transport === 'UDP' ? 'dublin' : 'us1'}.twilio.test`;
    await trunk(name, { transport: `SIP_TRANSPORT_${transport}` });
    const alice = await Person.join(server, `carrier-${rooms}`, 'alice');
    try {
      await alice.speak(440);
      const d = await dial(name, '+12025550150');
      assert.ok(d.success, d.text);
      assertTone(await alice.hears(d.participant_identity), 1000, 'alice hears the callee');
      await new Promise((r) => setTimeout(r, 600)); // of sound, for the carrier's judgement
      await hangUp(d);
      const media = await carrier.sees('+12025550150', 'media');
      assert.equal(media.verdict, 'good', JSON.stringify(media));
      assert.ok(media.sound_ms > 400, JSON.stringify(media));
      const seen = carrier.of('+12025550150');
      assert.ok(seen.every((e) => !['ack_ignored', 'no_dialog', 'no_ack'].includes(e.event)), JSON.stringify(seen.map((e) => e.event)));
      assert.equal(seen.find((e) => e.event === 'acked').times, 1);
      assert.equal(seen.find((e) => e.event === 'ended').why, 'the caller hung up');
      assert.equal(new Set(seen.filter((e) => e.event === 'received').map((e) => `${e.transport} ${e.connection}`)).size, 1);
    } finally { await alice.leave(); }
  });
}

test('a callee that presses keys and hangs up with a reason', async () => {
  const d = await dial('open', '+12025550151');
  assert.ok(d.success, d.text);
  await carrier.sees('+12025550151', 'ended', (e) => e.why === 'the carrier hung up');
  assert.equal(carrier.has('+12025550151', 'reply', (e) => e.method === 'BYE').status, 200);
});

// The callee picks up while the call is being cancelled: the 200 is ACKed, and then there is a BYE (RFC 3261 section 9.1, RFC 5407).
test('a CANCEL that comes too late: the answer is acknowledged and hung up', async () => {
  const room = `carrier-${rooms++}`, number = '+14155550110';
  const d = await server.dial(room, number, { trunk: 'open' });
  assert.equal(d.status, 200, d.text);
  await carrier.sees(number, 'state', (e) => e.state === 'ringing');
  await server.post('/livekit/sip/hangup', { room, participant_identity: d.json.participant_identity });
  await carrier.sees(number, 'cancelled');
  await carrier.sees(number, 'acked');
  await carrier.sees(number, 'bye');
});

test('sound that changes its SSRC or its port, comes with odd packets, or over a bad line is heard all the same', async () => {
  await Promise.all(['+15125550106', '+15125550108', '+15125550109', '+15125550111'].map(async (number) => {
    const room = `carrier-${rooms++}`, alice = await Person.join(server, room, 'alice');
    try {
      const d = await dial('open', number, room);
      assert.ok(d.success, d.text);
      await new Promise((r) => setTimeout(r, 1300)); // the change is after a second
      assertTone(await alice.hears(d.participant_identity, { fresh: true }), 1000, `${number}: alice hears the callee`);
      await hangUp(d);
      await carrier.sees(number, 'ended');
    } finally { await alice.leave(); }
  }));
});

test('a carrier that speaks G.722, and one whose session must be refreshed, by us or by it', async () => {
  await carrier.control('set sip.telnyx.test: codecs=G722');
  await trunk('sip.telnyx.test');
  const alice = await Person.join(server, 'wide', 'alice');
  try {
    await alice.speak(440);
    const d = await dial('sip.telnyx.test', '+12025550150', 'wide');
    assert.ok(d.success, d.text);
    assertTone(await alice.hears(d.participant_identity), 1000, 'alice hears the callee');
    await hangUp(d);
    const media = await carrier.sees('+12025550150', 'media');
    assert.equal(media.verdict, 'good', JSON.stringify(media));
    assert.ok(media.sound_ms > 300, JSON.stringify(media));
  } finally { await alice.leave(); }

  for (const [host, refresher, event, test_] of [['freeswitch.test', 'uas', 'reply', (e) => e.method === 'INVITE'], ['asterisk.test', 'uac', 'refreshed', () => true]]) {
    await carrier.control(`set ${host}: session-s=4;refresher=${refresher}`);
    await trunk(host);
    const d = await dial(host, '+12025550150');
    assert.ok(d.success, d.text);
    const seen = await until(() => carrier.has('+12025550150', event, test_) ?? carrier.has('+12025550150', 'offer'), 6000, `${host}: a refresh`)
      .catch((e) => { throw new Error(`${e.message}\n${carrier.of('+12025550150').map((x) => x.message ?? JSON.stringify(x)).join('\n')}`); });
    assert.ok(seen.status === undefined || seen.status === 200, JSON.stringify(seen));
    await hangUp(d);
    await carrier.sees('+12025550150', 'ended', (e) => e.why === 'the caller hung up');
  }
});

test('the number that records and plays back: what alice said comes back to her', async () => {
  const alice = await Person.join(server, `carrier-${rooms}`, 'alice'), number = '+15125550100';
  try {
    await alice.speak(440);
    const d = await dial('open', number);
    assert.ok(d.success, d.text);
    assertTone(await alice.hears(d.participant_identity), 440, 'alice hears herself');
    await hangUp(d);
  } finally { await alice.leave(); }
});

test('a connection on which every answer comes in pieces', async () => {
  await trunk('open.pstn.tokyo.twilio.test', { transport: 'SIP_TRANSPORT_TCP' });
  await carrier.control('set open.pstn.twilio.test: slow-tcp-ms=3');
  const d = await dial('open.pstn.tokyo.twilio.test', '+12025550150');
  assert.ok(d.success, d.text);
  await hangUp(d);
  await carrier.sees('+12025550150', 'ended', (e) => e.why === 'the caller hung up');
  await carrier.control('set open.pstn.twilio.test: slow-tcp-ms=0');
});

// Callees that do something before or after the answer: the call comes about, and nothing of ours is out of place.
const lively = [
  ['+14155550100', 'ringback in a 183'], ['+14155550102', '180, 183, 180'], ['+14155550103', '180 with SDP'], ['+14155550104', '183 without SDP'],
  ['+14155550105', 'a PRACK'], ['+14155550106', 'two PRACKs'], ['+14155550107', 'UPDATE in the early dialog'], ['+14155550108', 'three places ring'],
  ['+14155550109', 'two places answer'], ['+14155550112', 'odd provisional answers'], ['+13125550102', 'hold by sendonly'], ['+13125550103', 'hold by inactive'],
  ['+13125550104', 'hold by 0.0.0.0'], ['+13125550105', 'another codec'], ['+13125550106', 'a re-INVITE without an offer'], ['+13125550107', 'a refresh by re-INVITE'],
  ['+13125550108', 'a refresh by UPDATE'], ['+13125550109', 'UPDATE with SDP'], ['+13125550110', 'OPTIONS'], ['+13125550111', 'INFO, MESSAGE, NOTIFY'],
];
test(`${lively.length} callees that are lively before and after the answer`, async () => {
  await Promise.all(lively.map(async ([number, what]) => {
    const d = await dial('open', number);
    assert.ok(d.success, `${number} ${what}: ${d.text}`);
    const steps = carrier.has(number, 'call').script.split(' / ');
    const asks = steps.filter((s) => /^(reinvite|update|request)/.test(s)).length;
    await until(() => carrier.of(number).filter((e) => ['reply', 'unanswered'].includes(e.event)).length >= asks, 8000, `${number} ${what}: its requests are answered`);
    await hangUp(d);
    await carrier.sees(number, 'ended');
    const seen = carrier.of(number);
    const wrong = seen.filter((e) => ['ack_ignored', 'no_dialog', 'no_ack', 'no_prack', 'unanswered', 'malformed'].includes(e.event) || (e.event === 'prack' && !e.right) ||
      (e.event === 'reply' && (e.status < 200 || (e.status >= 300 && !['MESSAGE', 'NOTIFY'].includes(e.method)))));
    assert.deepEqual(wrong.map((e) => JSON.stringify(e)), [], `${number} ${what}`);
  }));
});

test('messages as ugly as carriers write them', async () => {
  for (const ugly of ['compact', 'folded', 'joined', 'long-header=3000', 'unknown-headers', 'malformed-header', 'lower-allow', 'no-length', 'double-length']) {
    await carrier.control(`set open.pstn.twilio.test: ${ugly}`);
    const d = await dial('open', '+12025550150');
    assert.ok(d.success, `${ugly}: ${d.text}`);
    await hangUp(d);
    await carrier.sees('+12025550150', 'ended', (e) => e.why === 'the caller hung up');
    await carrier.control(`set open.pstn.twilio.test: ${ugly.includes('=') ? 'long-header=0' : `${ugly}=off`}`);
  }
});
