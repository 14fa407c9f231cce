// Calls whose SIP goes by IPv6 have their sound there too: sipp and baresip on ::1 are the phones, rtc-node talks to them.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { dispose } from '@livekit/rtc-node';
import { analyse } from '../conformance/clients/lib/tone.mjs';
import { Server, until } from './lib/server.mjs';
import { Person, assertTone } from './lib/people.mjs';
import { baresip, sipp } from './lib/peers.mjs';
import { nameServer } from './lib/names.mjs';

let server, names;
before(async () => {
  names = await nameServer([]);
  names.records.push(['six.test', 'AAAA', '::1'], ['both.test', 'A', '127.0.0.1'], ['both.test', 'AAAA', '::1']);
  server = await Server.start({ dev: false, listen: null, simulator: false, yaml: `development: true\ndns_servers: ["${names.address}"]\n` });
});
after(async () => { await server?.stop(); await names?.stop(); await dispose(); });

async function trunk(name, address, ringdown) {
  const metadata = ringdown ? JSON.stringify({ ringdown }) : '';
  const r = await server.cli(['sip', 'outbound', 'create', JSON.stringify({ trunk: { name, address, numbers: ['+12025550199'], metadata } })]);
  assert.equal(r.code, 0, r.err);
}
const dial = (room) => server.dial(room, '+12025550124', { trunk: room, wait_until_answered: true });
const hangUp = (room, dialed) => server.post('/livekit/sip/hangup', { room, participant_identity: dialed.json.participant_identity });

test('sipp at an address, and at a name with AAAA only: the offer says IP6, the sound comes back', async () => {
  const far = await sipp('uas_routed.xml', server.folder, { host: '::1' });
  try {
    for (const [name, address] of [['address', `[::1]:${far.port}`], ['name', `six.test:${far.port}`]]) {
      await trunk(name, address);
      const alice = await Person.join(server, name, 'alice');
      await alice.speak(500);
      const dialed = await dial(name);
      assert.equal(dialed.json?.success, true, `${dialed.text}\n${server.log}`);
      assertTone(await alice.hears(dialed.json.participant_identity), 500, 'sipp echoes what it hears');
      await hangUp(name, dialed);
      await alice.leave();
    }
    await until(() => (far.messages().match(/^BYE sip:/gm) ?? []).length === 2, 5000, 'both BYEs');
    const [, offer] = far.messages().match(/^INVITE sip:[\s\S]*?(v=0\r?\n[\s\S]*?)\r?\n-----/m);
    assert.match(offer, /^o=\S+ \d+ \d+ IN IP6 ::1\r?$/m);
    assert.match(offer, /^c=IN IP6 ::1\r?$/m);
    assert.doesNotMatch(offer, /IP4/);

    const calls = JSON.parse((await server.cli(['calls', '--json'])).out), file = path.join(server.folder, 'six.pcap');
    const shown = (await server.cli(['calls', 'show', calls[0].id, '--ladder'])).out;
    assert.match(shown, /us \[?::1\]?:\d+/);
    assert.equal((await server.cli(['calls', 'show', calls[0].id, '--pcap', file])).code, 0);
    assert.ok(fs.readFileSync(file).includes('c=IN IP6 ::1'), 'the offer is in the pcap');
  } finally { await far.stop(); }
});

test('a name with A and AAAA: IPv4 as ever', async () => {
  const far = await sipp('uas_routed.xml', server.folder);
  try {
    await trunk('both', `both.test:${far.port}`);
    const dialed = await dial('both');
    assert.equal(dialed.json?.success, true, dialed.text);
    await hangUp('both', dialed);
    await until(() => /^BYE sip:/m.test(far.messages()), 5000, 'BYE');
    assert.match(far.messages(), /^c=IN IP4 127\.0\.0\.1\r?$/m);
  } finally { await far.stop(); }
});

test('a name with A and AAAA whose IPv4 address is dead: the offer changes with the address', async () => {
  const far = await sipp('uas_routed.xml', server.folder, { host: '::1' });
  try {
    await trunk('falls', `both.test:${far.port}`);
    const alice = await Person.join(server, 'falls', 'alice');
    await alice.speak(500);
    const dialed = await dial('falls');
    assert.equal(dialed.json?.success, true, `${dialed.text}\n${server.log}`);
    assertTone(await alice.hears(dialed.json.participant_identity), 500, 'sipp echoes what it hears');
    await hangUp('falls', dialed);
    await alice.leave();
    await until(() => /^BYE sip:/m.test(far.messages()), 5000, 'BYE');
    assert.match(far.messages(), /^c=IN IP6 ::1\r?$/m);
  } finally { await far.stop(); }
});

test('SIP by IPv6 with an answer by IPv4: a sentence; and media_family for such a trunk', async () => {
  const scenario = path.join(server.folder, 'four.xml'), root = path.resolve(import.meta.dirname, '../data/sipp/uas_routed.xml');
  fs.writeFileSync(scenario, fs.readFileSync(root, 'utf8').replace('c=IN IP[media_ip_type] [media_ip]', 'c=IN IP4 127.0.0.1'));
  const far = await sipp(scenario, server.folder, { host: '::1' });
  try {
    await trunk('mixed', `[::1]:${far.port}`);
    const failed = await dial('mixed');
    assert.equal(failed.json?.success, false, failed.text);
    assert.match(failed.json.error.message, /we told the far end ::1\. Set media_family in the metadata of the trunk "mixed" at \[::1\]:\d+ to the other one/);
    await trunk('said', `[::1]:${far.port}`, { media_family: 'ipv4' });
    const dialed = await dial('said');
    assert.equal(dialed.json?.success, true, dialed.text);
    await hangUp('said', dialed);
    await until(() => (far.messages().match(/^BYE sip:/gm) ?? []).length === 2, 5000, 'both BYEs');
    assert.match(far.messages(), /^c=IN IP4 127\.0\.0\.1\r?$/m);
  } finally { await far.stop(); }
});

test('baresip on ::1: sound both ways, and a key', async () => {
  const far = await baresip(server.folder, 620, { host: '::1' });
  try {
    await trunk('baresip', `[::1]:${far.port}`);
    const alice = await Person.join(server, 'baresip', 'alice');
    await alice.speak(440);
    const dialed = await server.dial('baresip', '+12025550124', { trunk: 'baresip', wait_until_answered: true, dtmf: '5' });
    assert.equal(dialed.json?.success, true, `${dialed.text}\n${far.log}`);
    assertTone(await alice.hears(dialed.json.participant_identity), 620, 'alice hears baresip');
    await hangUp('baresip', dialed);
    await until(() => /terminated|closed|bye/i.test(far.log), 5000, 'baresip sees the end');
    const heard = await until(() => { const pcm = far.heard(); return pcm.length > 16000 && pcm; }, 5000, 'baresip wrote what it heard');
    const tone = analyse(heard.subarray(8000, Math.min(heard.length, 24000)), 8000);
    assert.ok(Math.abs(tone.freq - 440) < 9, `baresip hears alice: ${JSON.stringify(tone)}`);
    assert.match(far.log, /received (?:DTMF )?event: '5' \(end=0\)/);
    await alice.leave();
  } finally { await far.stop(); }
});
