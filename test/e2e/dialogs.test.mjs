// What happens within a call, by sipp: hold, offers without and before their time, reliable ringing, session timers, forks, glares
// and a hang-up that meets the answer. One server, all at the same time; sipp says by its exit status whether all of it came to pass.
import { test, describe, before, after } from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { Server, until } from './lib/server.mjs';
import { answer, expect, pause, play, reply, request, sdp } from './lib/script.mjs';

let server, calls = 0;
before(async () => { server = await Server.start({ simulator: false }); });
after(async () => { await server.stop(); });

const bye = (cseq) => [request('BYE', cseq), expect.response(200)];
const answered = (more) => [expect.invite(), answer(180), answer(200, { sdp: sdp(), ...more }), expect.request('ACK')];
const reinvite = (cseq, offer, check) => [request('INVITE', cseq, { sdp: offer }), expect.response(200, check), request('ACK', cseq)];

// Dials sipp, which plays `steps`; resolves with what the room saw last of the phone.
async function playedBy(name, steps, more = {}, trunk = {}) {
  const far = await play(name, steps, server.folder), room = `dialog-${name}`;
  const number = `+120255501${String(10 + calls++)}`;
  try {
    const r = await server.cli(['sip', 'outbound', 'create', JSON.stringify({ trunk: { name, address: `127.0.0.1:${far.port}`, numbers: ['+12025550199'], ...trunk } })]);
    assert.equal(r.code, 0, r.err);
    const dialed = await server.dial(room, number, { trunk: name, ...more });
    assert.equal(dialed.json?.success, true, dialed.text);
    await far.exited;
    const errors = fs.readdirSync(server.folder).filter((f) => f.startsWith(`${name}.xml`) && f.endsWith('.err')).map((f) => fs.readFileSync(`${server.folder}/${f}`, 'utf8')).join('');
    assert.equal(far.code, 0, `${errors}\n${far.messages()}`);
    return { room, messages: far.messages() };
  } finally { await far.stop(); }
}

const cases = {
  'hold-and-resume': [...answered(),
    ...reinvite(2, sdp({ way: 'sendonly', version: 2 }), 'a=recvonly'),
    ...reinvite(3, sdp({ way: 'inactive', version: 3 }), 'a=inactive'),
    ...reinvite(4, sdp({ connection: '0.0.0.0', version: 4 }), 'a=recvonly'),
    ...reinvite(5, sdp({ version: 5 }), 'a=sendrecv'),
    ...reinvite(6, sdp({ version: 6, pt: '8 101' }), 'm=audio [0-9]+ RTP/AVP 8 101'),
    request('INVITE', 7, { sdp: sdp({ version: 7, pt: '18' }) }), expect.response(488, 'Warning: 305'), request('ACK', 7),
    ...bye(8)],
  'offer-in-the-200': [...answered(), request('INVITE', 2), expect.response(200, ['m=audio [1-9][0-9]* RTP/AVP ', 'a=sendrecv']),
    request('ACK', 2, { sdp: sdp({ version: 2 }) }), pause(300), ...bye(3)],
  'answer-in-a-reliable-183': [expect.invite('Supported: .*100rel'), answer(100),
    answer(183, { headers: 'Require: 100rel\nRSeq: 5', sdp: sdp() }), expect.request('PRACK', 'RAck: 5 1 INVITE'), reply(200),
    answer(180, { headers: 'Require: 100rel\nRSeq: 6' }), expect.request('PRACK', 'RAck: 6 1 INVITE'), reply(200),
    answer(200), expect.request('ACK'), pause(300), ...bye(1)],
  // As easybell does.
  'update-before-the-answer': [expect.invite('Supported: .*timer'), answer(183, { headers: 'Require: 100rel\nRSeq: 1', sdp: sdp() }),
    expect.request('PRACK'), reply(200),
    request('UPDATE', 1, { headers: 'Supported: timer\nSession-Expires: 1800;refresher=uac', sdp: sdp({ version: 2 }) }),
    expect.response(200, ['Session-Expires: 1800;refresher=uac', 'm=audio']),
    answer(200, { sdp: sdp() }), expect.request('ACK'), pause(300), ...bye(2)],
  'we-refresh': [...answered({ headers: 'Allow: INVITE, ACK, BYE, UPDATE\nRequire: timer\nSession-Expires: 2;refresher=uac' }),
    expect.request('UPDATE', 'Session-Expires: 2;refresher=uac'), reply(200, { headers: 'Session-Expires: 2;refresher=uac' }),
    expect.request('UPDATE'), reply(200, { headers: 'Session-Expires: 2;refresher=uac' }), ...bye(1)],
  'nobody-refreshes': [...answered({ headers: 'Session-Expires: 2;refresher=uas' }), expect.request('BYE'), reply(200)],
  // Our refresh is a re-INVITE where UPDATE is not allowed; it meets theirs, and comes again after 2.1 to 4 s.
  'a-glare': [...answered({ headers: 'Allow: INVITE, ACK, BYE\nSession-Expires: 9;refresher=uac' }),
    expect.request('INVITE'), reply(491), expect.request('ACK'),
    expect.request('INVITE', 'm=audio'), reply(200, { headers: 'Session-Expires: 90;refresher=uac', sdp: sdp() }), expect.request('ACK'), ...bye(1)],
  'two-phones-answer': [expect.invite(), answer(180, { tag: 'one' }), answer(183, { tag: 'two', sdp: sdp() }), answer(200, { tag: 'two', sdp: sdp() }),
    expect.request('ACK', 'To: .*tag=two'), answer(200, { tag: 'one', sdp: sdp() }), expect.request('ACK', 'To: .*tag=one'),
    expect.request('BYE', 'To: .*tag=one'), reply(200), ...bye(1).map((x) => x.replaceAll('tag=far', 'tag=two'))],
};

describe('within a call', { concurrency: true }, () => {
  for (const [name, steps] of Object.entries(cases))
    test(name, () => playedBy(name, steps, { wait_until_answered: false }));

  test('the answer meets our CANCEL', async () => {
    const { messages } = await playedBy('cancel-meets-200', [expect.invite(), answer(180), expect.request('CANCEL'), reply(200),
      answer(200, { sdp: sdp() }), expect.request('ACK'), expect.request('BYE'), reply(200)], { ringing_timeout: 1 });
    assert.equal(messages.match(/^CANCEL sip:/gm).length, 1);
  });

  test('a redirection to a host of the trunk\'s', () => playedBy('redirected', [expect.invite(),
    answer(302, { headers: 'Contact: <sip:premium@127.0.0.1:[local_port]>;q=1, [$to];q=0.5' }), expect.request('ACK'),
    expect.invite('CSeq: 2 INVITE'), answer(200, { sdp: sdp() }), expect.request('ACK'), ...bye(1)],
  {}, { metadata: JSON.stringify({ ringdown: { redirect: { hosts: ['127.0.0.1'] } } }) }));

  test('digits by INFO are the room\'s, a package is refused, the call goes on', async () => {
    await playedBy('info', [...answered(),
      request('INFO', 1, { headers: 'Content-Type: application/dtmf-relay\nContent-Length: 10\n\nSignal=5\r\n' }).replace(/Content-Length: 0\n\n\n/, ''), expect.response(200),
      request('INFO', 2, { headers: 'Info-Package: weather' }), expect.response(469),
      request('NOTIFY', 3, { headers: 'Event: talk\nSubscription-State: active' }), expect.response(481),
      request('MESSAGE', 4), expect.response(405, 'Allow: .*UPDATE'),
      request('OPTIONS', 5), expect.response(200, ['Allow: .*UPDATE', 'Supported: .*timer']), ...bye(6)]);
  });
});
