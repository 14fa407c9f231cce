// End-to-end encrypted voices: the server carries them, those with the key hear them, a telephone is spared them.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { Server, until } from './lib/server.mjs';
import { openRoom, stopChromium } from './lib/guests.mjs';

const ECHO = '+12025550116';
let server;
before(async () => { server = await Server.start(); });
after(async () => { await stopChromium(); await server?.stop(); });

test('an encrypted voice is heard by those with the key and not by the phone, which hears the others', async () => {
  const t = openRoom(server);
  try {
    const alice = await t.join('alice', { as: 'node', e2eeKey: 'sesame' }), bob = await t.join('bob', { as: 'js', e2eeKey: 'sesame' });
    const carol = await t.join('carol', { as: 'js-v0', alone: true }); // has no key
    await alice.publish(440);
    await bob.saw('track-subscribed', { who: 'alice' });
    assert.equal(await bob.hears('alice'), '440 Hz, clear');
    const [track] = (await server.rooms.listParticipants(t.room)).find((p) => p.identity === 'alice').tracks;
    assert.deepEqual([track.encryption, track.mimeType], [1, 'audio/opus'], 'GCM, and never RED');

    assert.equal((await server.dial(t.room, ECHO)).status, 200);
    const phone = await until(async () => { const p = await server.phone(t.room); return p?.attributes['sip.callStatus'] === 'active' && p.identity; }, 10000, 'the phone is there');
    await carol.saw('track-subscribed', { who: phone });
    assert.equal(await carol.hears(phone, { seconds: 1, patience: 2500 }), 'silence', 'noise would come back as an echo');
    await carol.publish(660);
    assert.equal(await carol.hears(phone), '660 Hz, clear');
    // The silence at its end is ours, in clear, and marked as such.
    await alice.mute({ key: 't1' });
    await bob.saw('track-muted', { who: 'alice' });
    await alice.unmute({ key: 't1' });
    assert.equal(await bob.hears('alice'), '440 Hz, clear', 'and who is encrypted goes on');
  } finally { await t.dispose(); }
});
