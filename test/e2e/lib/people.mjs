// People of rtc-node in a room: each speaks a tone of its own and measures what it hears.
import { AudioFrame, AudioSource, AudioStream, LocalAudioTrack, Room, RoomEvent, TrackKind, TrackPublishOptions, TrackSource } from '@livekit/rtc-node';
import { Ear } from '../../conformance/clients/lib/tone.mjs';
import { until } from './server.mjs';

const RATE = 48000, FRAME = 480;

export class Person {
  static async join(server, room, identity) {
    const p = new Person();
    p.identity = identity;
    p.ears = new Map();
    p.digits = [];
    p.statuses = [];
    p.room = new Room();
    p.room.on(RoomEvent.TrackSubscribed, (track, _pub, who) => { if (track.kind === TrackKind.KIND_AUDIO) p.listen(track, who.identity); });
    p.room.on(RoomEvent.DtmfReceived, (code, digit) => p.digits.push(digit));
    p.room.on(RoomEvent.ParticipantAttributesChanged, (changed, who) => {
      if (changed['sip.callStatus']) p.statuses.push({ who: who.identity, status: changed['sip.callStatus'], attributes: { ...who.attributes } });
    });
    await p.room.connect(server.ws, await server.token(room, identity), { autoSubscribe: true, dynacast: false });
    return p;
  }
  // A tone of `sound` Hz, or samples at 48 kHz, over and over.
  async speak(sound) {
    const at = typeof sound === 'number' ? (i) => 8192 * Math.sin((2 * Math.PI * sound * i) / RATE) : (i) => sound[i % sound.length];
    this.source = new AudioSource(RATE, 1);
    const track = LocalAudioTrack.createAudioTrack('tone', this.source);
    const options = new TrackPublishOptions();
    options.source = TrackSource.SOURCE_MICROPHONE;
    await this.room.localParticipant.publishTrack(track, options);
    this.speaking = true;
    let n = 0;
    this.mouth = (async () => {
      while (this.speaking) {
        const samples = new Int16Array(FRAME);
        for (let i = 0; i < FRAME; i++) samples[i] = at(n++);
        await this.source.captureFrame(new AudioFrame(samples, RATE, 1, FRAME));
      }
    })();
  }
  listen(track, who) {
    const ear = new Ear(RATE);
    this.ears.set(who, ear);
    (async () => {
      for await (const frame of new AudioStream(track, RATE, 1)) ear.push(Float32Array.from(frame.data, (x) => x / 32768));
    })().catch(() => {});
  }
  // Two seconds of `who`, once there is sound; starts with a fresh ear when `fresh`.
  async hears(who, { ms = 10000, fresh = false } = {}) {
    const ear = await until(() => this.ears.get(who), ms, `${this.identity} has a track of ${who}`);
    if (fresh) { ear.parts = []; ear.samples = 0; ear.onset = -1; ear.loud = 0; }
    return ear.measure(2, ms);
  }
  async leave() {
    this.speaking = false;
    await this.mouth;
    await this.room.disconnect();
  }
}

export function assertTone(heard, freq, what) {
  if (heard.silent) throw new Error(`${what}: silence (level ${heard.level} dB)`);
  if (Math.abs(heard.freq - freq) > freq * 0.02 || heard.purity < 0.8 || heard.gapMs > heard.ms * 0.1 || heard.level < -40)
    throw new Error(`${what}: wanted ${freq} Hz, heard ${JSON.stringify(heard)}`);
}
