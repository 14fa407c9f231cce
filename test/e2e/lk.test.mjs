// LiveKit's own command line tool against us, unchanged: LK names it, or it is `lk` on the PATH; where there is none, the tests say so.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { Server, KEY, SECRET, until } from './lib/server.mjs';

const program = process.env.LK ?? 'lk';
const found = spawnSync(program, ['--version'], { encoding: 'utf8' });
const skip = found.status === 0 ? false : `no lk here (${program}): not tried`;
const told = (name) => (skip ? `${name} [${skip}]` : name);

let server;
before(async () => { if (!skip) server = await Server.start(); });
after(async () => { await server?.stop(); });

const env = () => ({ ...process.env, HOME: server.folder, LIVEKIT_URL: server.http, LIVEKIT_API_KEY: KEY, LIVEKIT_API_SECRET: SECRET });
// Runs to its end; `out` is what it prints on stdout and stderr.
function lk(...args) {
  const r = spawnSync(program, args, { cwd: server.folder, env: env(), encoding: 'utf8', timeout: 40000 });
  return { code: r.status, out: r.stdout + r.stderr };
}
function works(...args) {
  const r = lk(...args);
  assert.equal(r.code, 0, `lk ${args.join(' ')}: ${r.out}`);
  return r.out;
}
function start(...args) {
  const child = spawn(program, args, { cwd: server.folder, env: env(), stdio: ['ignore', 'pipe', 'pipe'] });
  const p = { log: '', stop: async () => { child.kill('SIGINT'); await p.exited; } };
  for (const s of [child.stdout, child.stderr]) s.on('data', (d) => { p.log += d; });
  p.exited = new Promise((r) => child.on('exit', (code) => { p.code = code; r(); }));
  return p;
}

// A minute of silence in Opus, one packet of 20 ms a page (RFC 7845).
function silence(file) {
  const table = Array.from({ length: 256 }, (_, i) => { let c = i << 24; for (let k = 0; k < 8; k++) c = c & 0x80000000 ? (c << 1) ^ 0x04c11db7 : c << 1; return c >>> 0; });
  const page = (packet, position, number, flags) => {
    const b = Buffer.alloc(28 + packet.length);
    b.write('OggS'); b[5] = flags; b.writeBigInt64LE(BigInt(position), 6); b.writeUInt32LE(1, 14); b.writeUInt32LE(number, 18); b[26] = 1; b[27] = packet.length;
    packet.copy(b, 28);
    let crc = 0;
    for (const x of b) crc = ((crc << 8) ^ table[((crc >>> 24) ^ x) & 255]) >>> 0;
    b.writeUInt32LE(crc, 22);
    return b;
  };
  const head = Buffer.from('4f707573486561640101380180bb0000000000', 'hex'), tags = Buffer.from('4f707573546167730100000078' + '00000000', 'hex');
  const pages = [page(head, 0, 0, 2), page(tags, 0, 1, 0)];
  for (let i = 0; i < 3000; i++) pages.push(page(Buffer.from([0xf8, 0xff, 0xfe]), 960 * (i + 1), i + 2, 0));
  fs.writeFileSync(file, Buffer.concat(pages));
}

test(told('lk makes, lists, changes and deletes rooms'), { skip }, () => {
  assert.match(works('room', 'create', '--empty-timeout', '60', '--departure-timeout', '30', 'lobby'), /"emptyTimeout":\s+60,\s+"departureTimeout":\s+30/);
  assert.match(works('room', 'list'), /RM_\w+ +│ lobby +│ 0 +│ 0/);
  assert.match(works('room', 'list', '--json', 'lobby'), /"name":\s*"lobby"/);
  assert.match(works('room', 'update', '--metadata', 'seen', 'lobby'), /"metadata":\s+"seen"/);
  works('room', 'delete', 'lobby');
  const gone = lk('room', 'delete', 'lobby');
  assert.equal(gone.code, 1);
  assert.match(gone.out, /twirp error not_found: requested room does not exist/);
});

test(told('lk joins and publishes; lk shows, mutes, subscribes, tells, changes and removes people'), { skip }, async () => {
  silence(path.join(server.folder, 'silence.ogg'));
  const ann = start('room', 'join', '--identity', 'ann', '--publish', 'silence.ogg', '--attribute', 'k=v', 'r');
  const bob = start('room', 'join', '--identity', 'bob', '--auto-subscribe', 'r');
  try {
    await until(() => /track subscribed.*"source": "MICROPHONE"/.test(bob.log), 15000, 'bob hears ann').catch((e) => { throw new Error(`${e.message}\n${ann.log}\n${bob.log}`); });
    const people = works('room', 'participants', 'list', 'r');
    assert.match(people, /ann \(ACTIVE\)\s+tracks: 1/);
    assert.match(people, /bob \(ACTIVE\)\s+tracks: 0/);
    const shown = works('room', 'participants', 'get', '--room', 'r', 'ann'), sid = shown.match(/TR_\w+/)[0];
    assert.match(shown, /"k":\s+"v"/);
    works('room', 'mute-track', '--room', 'r', '--identity', 'ann', '--mute', sid);
    await until(() => /track muted/.test(bob.log), 5000, 'bob sees it muted');
    works('room', 'update-subscriptions', '--room', 'r', '--identity', 'bob', '--track', sid);
    works('room', 'send-data', '--room', 'r', '{"hello":1}');
    await until(() => /received data.*eyJoZWxsbyI6MX0=/.test(bob.log), 5000, 'bob gets the data');
    works('room', 'participants', 'update', '--room', 'r', '--identity', 'bob', '--metadata', 'm2', '--permissions', '{"can_publish":false,"can_subscribe":true}');
    assert.match(works('room', 'participants', 'get', '--room', 'r', 'bob'), /"metadata":\s+"m2"/);
    works('room', 'participants', 'remove', '--room', 'r', '--identity', 'bob');
    await until(() => /server initiated leave.*PARTICIPANT_REMOVED/.test(bob.log), 5000, 'bob is sent away');
  } finally { await Promise.all([ann.stop(), bob.stop()]); }
});

test(told('lk makes and deletes trunks and calls a phone'), { skip }, () => {
  const write = (name, what) => { fs.writeFileSync(path.join(server.folder, name), JSON.stringify(what)); return name; };
  const id = works('sip', 'outbound', 'create', write('trunk.json', { trunk: { name: 'bank', address: `127.0.0.1:${server.simulatorPort}`, numbers: ['+12025550199'],
    auth_username: 'simulator', auth_password: 'simulator' } })).match(/ST_\w+/)[0];
  assert.match(works('sip', 'outbound', 'list'), new RegExp(`${id} +│ bank`));
  works('sip', 'outbound', 'update', '--id', id, '--name', 'Bank');
  assert.match(works('sip', 'outbound', 'list'), new RegExp(`${id} +│ Bank`));
  const called = works('sip', 'participant', 'create', write('call.json', { sip_trunk_id: id, sip_call_to: '+12025550100', room_name: 'call', participant_identity: 'phone', wait_until_answered: true }));
  assert.match(called, /SIPCallID: SCL_\w+[^]*ParticipantIdentity: phone/);
  assert.match(works('room', 'participants', 'list', 'call'), /phone \(ACTIVE\)/);
  works('sip', 'outbound', 'delete', id);
  assert.match(works('token', 'create', '--join', '--room', 'r', '--identity', 'x', '--valid-for', '1h'), /Access token: ey/);
});

test(told('lk perf load-test: every listener hears every voice, nothing is lost'), { skip }, () => {
  const out = works('perf', 'load-test', '--room', 'load', '--audio-publishers', '2', '--subscribers', '3', '--duration', '4s');
  assert.match(out, /│ Total +│ 6\/6 +│[^│]*│ 0 \(0%\) +│ 0 /, out);
});
