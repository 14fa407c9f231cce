// Keys to and from phones that we did not write, in the three ways that there are: RFC 4733, SIP INFO, and the tones themselves.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import net from 'node:net';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { dispose } from '@livekit/rtc-node';
import { Server, until, freePorts } from './lib/server.mjs';
import { Person } from './lib/people.mjs';
import { baresip } from './lib/peers.mjs';
import { RoughLine } from './lib/rough_line.mjs';

let server;
before(async () => { server = await Server.start(); });
after(async () => { await server.stop(); await dispose(); });

async function call(name, far, dtmf) {
  const made = await server.cli(['sip', 'outbound', 'create', JSON.stringify({ trunk: { name, address: `127.0.0.1:${far.port}`, numbers: ['+12025550199'], metadata: JSON.stringify({ ringdown: { dtmf } }) } })]);
  assert.equal(made.code, 0, made.err);
  const alice = await Person.join(server, name, 'alice');
  const dialed = await server.dial(name, '+12025550124', { trunk: name, wait_until_answered: true });
  assert.equal(dialed.json?.success, true, `${dialed.text}\n${far.log}`);
  return { alice, phone: dialed.json.participant_identity };
}

// A command to baresip: netstrings of JSON.
function press(port, keys) {
  return new Promise((resolve, reject) => {
    const s = net.connect(port, '127.0.0.1', () => {
      const text = JSON.stringify({ command: 'sndcode', params: keys });
      s.write(`${text.length}:${text},`);
    });
    s.on('data', (d) => { s.end(); resolve(d.toString()); }).on('error', reject);
  });
}

for (const [dtmf, mode, said] of [['auto', 'rtpevent', /received (?:DTMF )?event: '(.)' \(end=0\)/g], ['info', 'info', /received DTMF: '(.)'/g]]) {
  test(`${dtmf}: baresip hears our keys, and alice those of baresip (${mode})`, async () => {
    const [control] = await freePorts(1);
    const far = await baresip(server.folder, 440, { dtmf: mode, extra: `module_app ctrl_tcp.so\nctrl_tcp_listen 127.0.0.1:${control}` });
    try {
      const { alice, phone } = await call(`keys-${dtmf}`, far, dtmf);
      for (const key of ['1', '#', '5', '5']) await alice.room.localParticipant.publishDtmf('1234567890*#'.indexOf(key), key);
      await until(() => [...far.log.matchAll(said)].map((m) => m[1]).join('') === '1#55', 8000, 'baresip heard 1#55').catch((e) => { throw new Error(`${e.message}\n${far.log.slice(-3000)}`); });
      for (const key of ['4', '*', '9']) await press(control, key);
      await until(() => alice.digits.join('') === '4*9', 8000, 'alice was told 4*9').catch((e) => { throw new Error(`${e.message}: ${alice.digits}\n${far.log.slice(-3000)}`); });
      await server.post('/livekit/sip/hangup', { room: `keys-${dtmf}`, participant_identity: phone });
      await alice.leave();
    } finally { await far.stop(); }
  });
}

// The tones are sox's; ours are read by multimon-ng from what baresip recorded.
test('tones: alice is told the keys in the sound, and ours are keys to another program', async () => {
  const pairs = { 2: [697, 1336], 7: [852, 1209], '#': [941, 1477] }, parts = [];
  for (const [i, key] of ['7', '2', '#', '2'].entries()) {
    const file = path.join(server.folder, `key-${i}.wav`);
    execFileSync('sox', ['-n', '-r', '8000', '-b', '16', '-c', '2', file, 'synth', '0.08', 'sine', String(pairs[key][0]), 'sine', String(pairs[key][1]), 'remix', '1,2', 'vol', '0.4', 'pad', '0', '0.08']);
    parts.push(file);
  }
  const wav = path.join(server.folder, 'keys.wav');
  execFileSync('sox', [...parts, '-c', '1', wav, 'pad', '2', '20']);
  const far = await baresip(server.folder, 0, { codecs: 'PCMU', wav });
  const line = await RoughLine.open(far.port, { noEvents: true });
  try {
    const { alice, phone } = await call('keys-tones', { ...far, port: line.port, log: far.log }, 'auto');
    await until(() => alice.digits.join('') === '72#2', 10000, 'alice was told 72#2').catch((e) => { throw new Error(`${e.message}: ${alice.digits}`); });
    for (const key of ['1', '9', '*']) await alice.room.localParticipant.publishDtmf('1234567890*#'.indexOf(key), key);
    const read = () => {
      const file = path.join(server.folder, 'heard.wav'), pcm = far.heard(), b = Buffer.alloc(pcm.length * 2);
      pcm.forEach((x, i) => b.writeInt16LE(Math.round(x * 32767), i * 2));
      execFileSync('sox', ['-t', 'raw', '-r', '8000', '-e', 'signed', '-b', '16', '-c', '1', '-', '-r', '22050', '-t', 'raw', `${file}.raw`], { input: b });
      return [...execFileSync('multimon-ng', ['-q', '-a', 'DTMF', '-t', 'raw', `${file}.raw`], { stdio: ['ignore', 'pipe', 'ignore'] }).toString().matchAll(/DTMF: (.)/g)].map((m) => m[1]).join('');
    };
    await until(() => read() === '19*', 10000, 'multimon-ng reads 19*').catch((e) => { throw new Error(`${e.message}: ${read()}`); });
    await server.post('/livekit/sip/hangup', { room: 'keys-tones', participant_identity: phone });
    await alice.leave();
  } finally { line.close(); await far.stop(); }
});
