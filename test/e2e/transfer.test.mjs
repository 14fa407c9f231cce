// TransferSIPParticipant towards far ends that we did not write: sipp for every outcome, baresip and linphone for a transfer
// that another telephone really answers or declines.
import { test, describe, before, after } from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { dispose } from '@livekit/rtc-node';
import { Server, until } from './lib/server.mjs';
import { baresip, linphone } from './lib/peers.mjs';
import { Person } from './lib/people.mjs';
import { answer, expect, notify, pause, play, reply, request, sdp } from './lib/script.mjs';
import { Tap, isRtp, overheard } from './lib/tap.mjs';

const TARGET = 'tel:+12025550188';
let server, calls = 0;
before(async () => { server = await Server.start({ simulator: false }); });
after(async () => { await server.stop(); await dispose(); });

async function dial(name, port, number = `+120255501${String(30 + calls++)}`) {
  const r = await server.cli(['sip', 'outbound', 'create', JSON.stringify({ trunk: { name, address: `127.0.0.1:${port}`, numbers: ['+12025550199'] } })]);
  assert.equal(r.code, 0, r.err);
  const dialed = await server.dial(name, number, { trunk: name, wait_until_answered: true });
  assert.equal(dialed.json?.success, true, `${dialed.text}\n${server.log.slice(-2000)}`);
  return dialed.json;
}
// The record's, which is written when the last packets have been counted.
const codeOf = (call) => until(async () => {
  const { out } = await server.cli(['calls', 'show', call.sip_call_id, '--json']);
  return out && JSON.parse(out).ending?.code;
}, 5000, 'the record of the call');

// { ok: true }, or { code, status } of the Twirp error.
const transfer = (room, phone, to = TARGET, options = {}) => server.sip.transferSipParticipant(room, phone, to, options)
  .then(() => ({ ok: true }), (e) => ({ code: e.code, status: e.metadata?.sip_status_code }));
const isUp = async (room) => (await server.phone(room))?.attributes['sip.callStatus'] === 'active';
const isGone = (room) => until(async () => !(await server.phone(room)), 5000, 'the phone leaves the room');

const answered = [expect.invite(), answer(180), answer(200, { sdp: sdp() }), expect.request('ACK')];
const accepted = [...answered, expect.request('REFER', 'Refer-To: tel:.12025550188'), reply(202)];
const told = (cseq, ...what) => [notify(cseq, ...what), expect.response(200)];
const goesOn = (cseq) => [pause(400), request('BYE', cseq), expect.response(200)];
const weBye = [expect.request('BYE'), reply(200)];

const cases = {
  'the target answers': [[...accepted, ...told(1, 'active;expires=60', 'SIP/2.0 100 Trying'), ...told(2, 'active', 'SIP/2.0 180 Ringing'),
    ...told(3, 'terminated;reason=noresource', 'SIP/2.0 200 OK'), ...weBye], undefined],
  'it is told before the REFER is answered': [[...answered, expect.request('REFER'), reply(100), notify(1, 'terminated;reason=noresource', 'SIP/2.0 200 OK'),
    expect.response(200), ...weBye], undefined],
  'the far end hangs up right after its 202': [[...accepted, request('BYE', 1), expect.response(200)], undefined],
  'it hangs up after a 180 of the target': [[...accepted, ...told(1, 'active', 'SIP/2.0 180 Ringing'), request('BYE', 2), expect.response(200)], undefined],
  'it hangs up before it answers the REFER': [[...answered, expect.request('REFER'), request('BYE', 1), expect.response(200)], { code: 'canceled' }],
  'the REFER is declined': [[...answered, expect.request('REFER'), reply(603), ...goesOn(1)], { code: 'permission_denied', status: '603' }],
  'the far end knows no REFER': [[...answered, expect.request('REFER'), reply(405, { headers: 'Allow: INVITE, ACK, BYE' }), ...goesOn(1)], { status: '405' }],
  'the target is busy': [[...accepted, ...told(1, 'active', 'SIP/2.0 100 Trying'), ...told(2, 'terminated;reason=noresource', 'SIP/2.0 486 Busy Here'),
    ...goesOn(3)], { code: 'resource_exhausted', status: '486' }],
  'the far end ends the subscription and says nothing': [[...accepted, ...told(1, 'terminated;reason=timeout', 'SIP/2.0 100 Trying'), ...goesOn(2)], { code: 'failed_precondition' }],
  'nothing comes in time': [[...accepted, ...told(1, 'active', 'SIP/2.0 100 Trying'), pause(1300), ...told(2, 'terminated', 'SIP/2.0 200 OK'), ...goesOn(3)],
    { code: 'deadline_exceeded' }, { ringingTimeout: 1 }],
};

describe('sipp is asked to transfer', { concurrency: true }, () => {
  for (const [name, [steps, wanted, options]] of Object.entries(cases)) {
    test(name, async () => {
      const room = `transfer-${name.replaceAll(/\W/g, '-')}`, far = await play(room, steps, server.folder);
      try {
        const call = await dial(room, far.port), got = await transfer(room, call.participant_identity, TARGET, options);
        if (!wanted) assert.ok(got.ok, JSON.stringify(got));
        for (const [key, value] of Object.entries(wanted ?? {})) assert.equal(got[key], value, JSON.stringify(got));
        // The call goes on: it is seen to be up, or the far end has ended it meanwhile, as it does after a pause; had we, sipp and the record would tell.
        if (wanted && steps.some((s) => s.includes('pause'))) await until(async () => (await isUp(room)) || far.code !== undefined, 5000, 'the call goes on');
        await far.exited;
        const errors = fs.readdirSync(server.folder).filter((f) => f.startsWith(`${room}.xml`) && f.endsWith('.err')).map((f) => fs.readFileSync(`${server.folder}/${f}`, 'utf8')).join('');
        assert.equal(far.code, 0, `${errors}\n${far.messages()}`);
        await isGone(room);
        assert.equal(await codeOf(call), wanted ? 'far_end_hung_up' : 'transferred');
      } finally { await far.stop(); }
    });
  }
});

test('what may not be called may not be transferred to: no REFER leaves', async () => {
  const far = await play('off', [...answered, expect.request('BYE'), reply(200)], server.folder);
  try {
    const call = await dial('off', far.port);
    for (const to of ['tel:+19005550123', '<sip:+19005550123@127.0.0.1;user=phone>', 'sip:+4930123456@127.0.0.1', 'sip:19005550123@127.0.0.1',
      'sip:9005550123@127.0.0.1', 'sip:%2B1%390%305550123@127.0.0.1', 'tel:9005550123;phone-context=+1', 'tel:+1-900------------------------5550123',
      'sip:0114930123456@127.0.0.1', 'tel:911'])
      assert.equal((await transfer('off', call.participant_identity, to)).code, 'permission_denied', to);
    const [kept] = JSON.parse((await server.cli(['calls', '--refused', '--json', '--room', 'off', '--limit', '1000'])).out).slice(-1);
    assert.equal(kept.transfer_of, call.sip_call_id);
    assert.equal(kept.number, 'tel:+19005550123');
    for (const to of ['tel:+12025550188;rn=+19005550123', 'sip:*6719005550123@127.0.0.1', 'tel:+10114930123456'])
      assert.equal((await transfer('off', call.participant_identity, to)).code, 'invalid_argument', to);
    await server.rooms.removeParticipant('off', call.participant_identity);
    await far.exited;
    assert.equal(far.code, 0, far.messages());
  } finally { await far.stop(); }
});

test('a transfer waits for its turn in the calls per second of the trunk', async () => {
  const far = await play('turn', [...accepted, ...told(1, 'terminated;reason=noresource', 'SIP/2.0 200 OK'), ...weBye], server.folder);
  try {
    const r = await server.cli(['sip', 'outbound', 'create', JSON.stringify({ trunk: { name: 'turn', address: `127.0.0.1:${far.port}`,
      numbers: ['+12025550199'], metadata: JSON.stringify({ ringdown: { policy: { calls_per_second: 1 } } }) } })]);
    assert.equal(r.code, 0, r.err);
    const began = Date.now(), call = await server.dial('turn', '+12025550129', { trunk: 'turn', wait_until_answered: true });
    assert.equal(call.status, 200, call.text);
    const got = await transfer('turn', call.json.participant_identity);
    assert.ok(got.ok, JSON.stringify(got));
    assert.ok(Date.now() - began >= 990, `${Date.now() - began} ms`);
    assert.match(server.log, /it waits for the trunk's calls per second/);
    await far.exited;
    assert.equal(far.code, 0, far.messages());
  } finally { await far.stop(); }
});

test('play_dialtone: the phone hears a ringing tone until the outcome, then the room again', async () => {
  const far = await play('dialtone', [...accepted, ...told(1, 'active', 'SIP/2.0 180 Ringing'), pause(1200),
    ...told(2, 'terminated;reason=noresource', 'SIP/2.0 486 Busy Here'), pause(1200), request('BYE', 3), expect.response(200)], server.folder);
  const tap = await Tap.open(far.port);
  // Everything that was sent to it, in pieces of 200 ms, whenever we come to look.
  const heard = () => {
    const sound = tap.toFar.filter(isRtp), is = (t, ...freqs) => freqs.some((f) => Math.abs(t.freq - f) < 15);
    return Array.from({ length: Math.floor(sound.length / 10) }, (_, i) => overheard(sound.slice(10 * i, 10 * i + 10)))
      .map((t) => (t.level < -40 ? 'nothing' : is(t, 440, 480) ? 'ringing' : is(t, 700) ? 'alice' : `${t.freq} Hz`));
  };
  let alice;
  try {
    alice = await Person.join(server, 'dialtone', 'alice');
    await alice.speak(700);
    const call = await dial('dialtone', tap.port);
    const outcome = transfer('dialtone', call.participant_identity, TARGET, { playDialtone: true });
    assert.equal((await outcome).status, '486');
    await until(() => { const h = heard(), rang = h.indexOf('ringing'); return rang >= 0 && h.includes('alice', rang); }, 3000, 'the phone hears a tone, then alice')
      .catch((e) => { throw new Error(`${e.message}: ${heard()}`); });
    await far.exited;
    assert.equal(far.code, 0, far.messages());
  } finally { await alice?.leave(); tap.close(); await far.stop(); }
});

const target = {
  answers: [expect.invite(), answer(180), answer(200, { sdp: sdp() }), expect.request('ACK'), request('BYE', 1), expect.response(200)],
  declines: [expect.invite(), answer(180), answer(603), expect.request('ACK')],
  'is busy': [expect.invite(), answer(486), expect.request('ACK')],
};
const phones = { baresip: () => baresip(server.folder, 620), linphone: () => linphone(server.folder, 620) };

describe('a softphone is asked to transfer', { concurrency: true }, () => {
  for (const [kind, start] of Object.entries(phones)) {
    for (const [how, steps] of Object.entries(target)) {
      test(`${kind} calls the target, which ${how}`, async () => {
        const room = `${kind}-${how.replaceAll(' ', '-')}`, far = await start(), third = await play(`${room}-target`, steps, server.folder);
        try {
          const call = await dial(room, far.port, '+12025550124');
          const got = await transfer(room, call.participant_identity, `sip:carol@127.0.0.1:${third.port}`, { ringingTimeout: 6 });
          assert.match(third.messages(), /^INVITE sip:carol@/m, 'the target is called');
          if (how === 'answers') {
            assert.ok(got.ok, JSON.stringify(got));
            await isGone(room);
            assert.equal(await codeOf(call), 'transferred');
          } else {
            assert.equal(got.status, how === 'declines' ? '603' : '486', `${JSON.stringify(got)}\n${far.log}`);
            assert.ok(await isUp(room), 'the call goes on');
          }
          await until(() => third.code !== undefined, 8000, 'the target has played its part');
          assert.equal(third.code, 0, third.messages());
        } finally { await third.stop(); await far.stop(); }
      });
    }
  }
});
