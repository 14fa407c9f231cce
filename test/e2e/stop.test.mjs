// SIGTERM with a person and a call in a room: the phone gets its BYE, the person is told why, and the program ends by itself.
import { test, after } from 'node:test';
import assert from 'node:assert/strict';
import { RoomEvent, DisconnectReason, dispose } from '@livekit/rtc-node';
import { Server, until } from './lib/server.mjs';
import { Person } from './lib/people.mjs';
import { sipp } from './lib/peers.mjs';

after(dispose);

test('a server that is stopped says goodbye on every side', async () => {
  const server = await Server.start();
  const far = await sipp('uas407b.xml', server.folder);
  try {
    await server.cli(['sip', 'outbound', 'create', JSON.stringify({ trunk: { name: 'far', address: `127.0.0.1:${far.port}`, numbers: ['+12025550199'], auth_username: 'alice', auth_password: 'secret' } })]);
    const alice = await Person.join(server, 'closing', 'alice');
    const gone = new Promise((r) => alice.room.on(RoomEvent.Disconnected, r));
    await alice.speak(440);
    const dialed = await server.dial('closing', '+12025550125', { trunk: 'far', wait_until_answered: true });
    assert.equal(dialed.json.success, true, dialed.text);
    const began = Date.now();
    server.child.kill('SIGTERM');
    assert.equal(await gone, DisconnectReason.SERVER_SHUTDOWN);
    await until(() => /BYE sip:/.test(far.messages()), 3000, 'BYE reaches the phone');
    await server.exited;
    assert.ok(Date.now() - began < 12000, 'the end is bounded');
    alice.speaking = false;
  } finally { await far.stop(); await server.stop(); }
});
