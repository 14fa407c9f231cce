// The page that Prometheus reads, parsed by its own grammar, before, during and after a call.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { Server, freePorts, until } from './lib/server.mjs';

// "name{a="b"} 1" lines as a map; every sample must belong to the family that was announced last.
function parse(text) {
  const samples = new Map();
  let family, type;
  for (const line of text.trimEnd().split('\n')) {
    const head = line.match(/^# (HELP|TYPE) ([a-z_]+) (.+)$/);
    if (head) { [, , family, type] = head; continue; }
    const [, name, labels, value] = line.match(/^([a-z_]+)(?:\{((?:[a-z_]+="(?:[^"\\]|\\.)*",?)+)\})? (-?[0-9.e+-]+)$/) ?? assert.fail(line);
    assert.ok(name === family || (type === 'histogram' && ['_bucket', '_sum', '_count'].some((s) => name === family + s)), line);
    samples.set(name + (labels ? `{${labels.replace(/node_id="[^"]*",node_type="SERVER",?/, '')}}` : ''), Number(value));
  }
  return samples;
}

test('rooms, people, calls and how they ended are counted', async () => {
  const [port] = await freePorts(1);
  const server = await Server.start({ yaml: `prometheus: {port: ${port}, username: prom, password: hunter2}\n` });
  const url = `http://127.0.0.1:${port}/metrics`, authorization = `Basic ${Buffer.from('prom:hunter2').toString('base64')}`;
  assert.equal((await fetch(url)).status, 401);
  assert.equal((await fetch(url, { headers: { authorization: `Basic ${Buffer.from('prom:hunter3').toString('base64')}` } })).status, 401);
  assert.equal((await fetch(url.replace('metrics', 'x'), { headers: { authorization } })).status, 404);
  const read = async () => {
    const r = await fetch(url, { headers: { authorization } });
    assert.match(r.headers.get('content-type'), /^text\/plain; version=0\.0\.4/);
    return parse(await r.text());
  };
  let now = await read();
  assert.equal(now.get('livekit_room_total{}'), 0);
  assert.ok(now.get('process_resident_memory_bytes{}') > 1e6);
  const [trunk] = await server.sip.listSipOutboundTrunk();
  const call = (n, room) => server.sip.createSipParticipant(trunk.sipTrunkId, n, room, { waitUntilAnswered: true });
  await call('+12025550101', 'one');
  await assert.rejects(call('+12025550110', 'two'));
  now = await read();
  assert.equal(now.get('livekit_sip_calls_active{dir="out"}'), 1);
  assert.equal(now.get('livekit_track_published_total{kind="audio"}'), 1);
  assert.equal(now.get('livekit_sip_invite_requests{dir="out"}'), 2);
  assert.equal(now.get('livekit_sip_calls_terminated{dir="out",reason="busy"}'), 1, [...now.keys()].filter((k) => k.includes('terminated')).join());
  await server.rooms.deleteRoom('one');
  await until(async () => (now = await read()).get('livekit_sip_calls_active{dir="out"}') === 0, 3000, 'the end of the call');
  assert.equal(now.get('livekit_sip_invite_accepted{dir="out"}'), 1);
  assert.equal(now.get('livekit_sip_dur_session_sec_count{dir="out"}'), 2);
  assert.equal(now.get('livekit_room_duration_seconds_count{}'), 1);
  assert.equal(now.get('livekit_participant_join_total{state="rtc_active"}'), 2);
  assert.ok(now.get('ringdown_loop_lag_seconds_count{}') > 0);
  assert.doesNotMatch(server.log, /hunter2/);
  await server.stop();
});
