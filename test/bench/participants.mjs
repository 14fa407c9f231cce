// People of rtc-node for the memory figures: each publishes a microphone, speaks for a second, and stays.
//   participants.mjs URL   with lines of JSON on stdin: ["token", ...]; answers each line with "joined N".
// Ends when stdin does.
import readline from 'node:readline';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const require = createRequire(path.join(path.dirname(fileURLToPath(import.meta.url)), '../package.json'));
const { AudioFrame, AudioSource, LocalAudioTrack, Room, RoomEvent, TrackPublishOptions, TrackSource, dispose } =
  await import(pathToFileURL(require.resolve('@livekit/rtc-node')).href);

const RATE = 48000, FRAME = 480, url = process.argv[2], people = [];

async function join(token) {
  const room = new Room();
  people.push(room);
  await room.connect(url, token, { autoSubscribe: true, dynacast: false });
  const source = new AudioSource(RATE, 1);
  const options = new TrackPublishOptions();
  options.source = TrackSource.SOURCE_MICROPHONE;
  await room.localParticipant.publishTrack(LocalAudioTrack.createAudioTrack('voice', source), options);
  for (let f = 0, n = 0; f < 100; f++) {
    const samples = new Int16Array(FRAME);
    for (let i = 0; i < FRAME; i++) samples[i] = 8192 * Math.sin((2 * Math.PI * 300 * n++) / RATE);
    await source.captureFrame(new AudioFrame(samples, RATE, 1, FRAME));
  }
}

for await (const line of readline.createInterface({ input: process.stdin })) {
  try {
    await Promise.all(JSON.parse(line).map(join));
    console.log(`joined ${people.length}`);
  } catch (e) {
    console.log(`failed ${e.message}`);
  }
}
await Promise.all(people.map((r) => r.disconnect().catch(() => {})));
await dispose();
process.exit(0);
