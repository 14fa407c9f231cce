// The short sound of a pressed key, made here and heard here only. One tone, never a pair: a pair
// picked up by the microphone could be taken for a second digit by the bank.

const LENGTH_S = 0.07;
const VOLUME = 0.06;
const ROW_HZ = [440, 494, 554, 622];

let context: AudioContext | undefined;

/** `index` is the key's place on the pad, row by row. */
export function keyClick(index: number): void {
  try {
    context ??= new AudioContext();
    void context.resume();
    const start = context.currentTime;
    const tone = new OscillatorNode(context, { frequency: ROW_HZ[Math.floor(index / 3)] ?? 440 });
    const gain = new GainNode(context, { gain: VOLUME });
    gain.gain.setTargetAtTime(0, start + LENGTH_S / 2, LENGTH_S / 6);
    tone.connect(gain).connect(context.destination);
    tone.start(start);
    tone.stop(start + LENGTH_S);
  } catch {
    // No sound device: the key still works and still shows that it was pressed.
  }
}
