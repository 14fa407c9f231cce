// Two rtc-node clients and one phone in a room hear each other; digits, states and the hang-up reach everybody.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { dispose } from '@livekit/rtc-node';
import { Server, until } from './lib/server.mjs';
import { Person, assertTone } from './lib/people.mjs';

let server;
before(async () => { server = await Server.start(); });
after(async () => { await server.stop(); await dispose(); });

test('two people and a phone hear each other', async () => {
  const alice = await Person.join(server, 'three', 'alice');
  const bob = await Person.join(server, 'three', 'bob');
  await alice.speak(440);
  assertTone(await bob.hears('alice'), 440, 'bob hears alice');

  const dialed = await server.dial('three', '+12025550117');
  assert.equal(dialed.status, 200, dialed.text);
  const phone = dialed.json.participant_identity;
  assertTone(await alice.hears(phone), 1000, 'alice hears the phone');
  assertTone(await bob.hears(phone), 1000, 'bob hears the phone');
  const seen = await server.phone('three');
  assert.equal(seen.attributes['sip.callStatus'], 'active');
  assert.equal(seen.attributes['sip.callID'], dialed.json.sip_call_id);
  assert.equal(seen.attributes['sip.phoneNumber'], '+12025550117');
  assert.equal(seen.sid, dialed.json.participant_id);
  await server.rooms.removeParticipant('three', phone);
  await until(async () => !(await server.phone('three')), 3000, 'the phone is gone');

  // The echo sends back what the phone heard: alice's tone went through the trunk and came back to bob.
  const echo = await server.dial('three', '+12025550116');
  assertTone(await bob.hears(echo.json.participant_identity), 440, 'bob hears alice by way of the phone');
  assertTone(await bob.hears('alice', { fresh: true }), 440, 'bob still hears alice');

  // The API silences the phone as it does anybody.
  const [track] = (await server.phone('three')).tracks;
  assert.equal((await server.rooms.mutePublishedTrack('three', echo.json.participant_identity, track.sid, true)).muted, true);
  await until(async () => (await bob.hears(echo.json.participant_identity, { fresh: true, ms: 1000 })).silent, 8000, 'the phone is silent');
  await server.post('/livekit/sip/hangup', { room: 'three', participant_identity: echo.json.participant_identity });
  await until(async () => !(await server.phone('three')), 3000, 'the echo is gone');
  await Promise.all([alice.leave(), bob.leave()]);
});

test('states move dialing, ringing, active, hangup', async () => {
  const alice = await Person.join(server, 'states', 'alice');
  const dialed = await server.dial('states', '+12025550115');
  assert.equal(dialed.status, 200, dialed.text);
  await until(() => alice.statuses.at(-1)?.status === 'hangup', 10000, 'the far end hangs up');
  assert.deepEqual(alice.statuses.map((s) => s.status), ['ringing', 'active', 'hangup']);
  assert.match(alice.statuses.at(-1).attributes['ringdown.endedReason'], /hung up/);
  await until(async () => !(await server.phone('states')), 3000, 'the phone is gone');
  await alice.leave();
});

test('a key pressed in the room reaches the bank, which answers', async () => {
  const alice = await Person.join(server, 'keys', 'alice');
  const dialed = await server.dial('keys', '+12025550101');
  await until(async () => (await server.phone('keys'))?.attributes['sip.callStatus'] === 'active', 5000, 'answered');
  // The greeting is speech; the key interrupts it and brings the test tone.
  await alice.room.localParticipant.publishDtmf(3, '3');
  const phone = dialed.json.participant_identity;
  await until(async () => Math.abs((await alice.hears(phone, { fresh: true })).freq - 1000) < 20, 12000, 'the test tone is heard');
  await alice.room.localParticipant.publishDtmf(9, '9');
  await until(async () => !(await server.phone('keys')), 15000, 'the bank says goodbye and hangs up');
  await alice.leave();
});

test('each ending says why, and the room goes on', async () => {
  const alice = await Person.join(server, 'endings', 'alice');
  const endings = [
    ['+12025550110', '486', /busy/i],
    ['+12025550112', '603', /declined|rejected/i],
    ['+12025550113', '404', /number/i],
    ['+12025550118', '480', /unavailable|reached|answer/i],
    ['+12025550119', '503', /carrier|trunk|service/i],
  ];
  for (const [number, code, sentence] of endings) {
    alice.statuses.length = 0;
    const dialed = await server.dial('endings', number);
    assert.equal(dialed.status, 200, dialed.text);
    const last = await until(() => alice.statuses.find((s) => s.status === 'hangup'), 8000, `${number} ends`);
    assert.equal(last.attributes['ringdown.sipStatusCode'], code);
    assert.match(last.attributes['ringdown.endedReason'], sentence);
  }
  alice.statuses.length = 0;
  await server.dial('endings', '+12025550111', { ringing_timeout: 1 });
  const last = await until(() => alice.statuses.find((s) => s.status === 'hangup'), 5000, 'no answer ends');
  assert.match(last.attributes['ringdown.endedReason'], /answer/i);
  assert.equal((await server.rooms.listParticipants('endings')).length, 1);
  await alice.leave();
});
