// Speech to send, and how much of it arrived. The measure is our own and a simple one: after the idea of STOI (Taal et al., 2011) it correlates the
// loudness of third-octave bands, sent against received, in pieces of 400 ms, each found where it fits best: 1 is all of it, noise is near 0.
// It knows nothing of what the server reckons, and it is no POLQA.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

const RATE = 8000, WINDOW = 256, HOP = 80, PIECE = 40, SEARCH = 40;
const sentences = 'The birch canoe slid on the smooth planks. Glue the sheet to the dark blue background. It is easy to tell the depth of a well. '
  + 'These days a chicken leg is a rare dish. Rice is often served in round bowls. The juice of lemons makes fine punch. '
  + 'The box was thrown beside the parked truck. The hogs were fed chopped corn and garbage.'; // IEEE's "Harvard" list 1

// Files of the same speech at 8 and 48 kHz, and its samples.
export function makeSpeech(folder) {
  const raw = path.join(folder, 'speech.wav'), files = {};
  execFileSync('espeak-ng', ['-v', 'en-us', '-s', '150', '-w', raw, sentences]);
  for (const rate of [8000, 48000]) {
    files[rate] = path.join(folder, `speech-${rate}.wav`);
    execFileSync('sox', [raw, '-r', String(rate), '-c', '1', '-b', '16', files[rate], 'norm', '-6']);
  }
  const samples = (file) => { const b = fs.readFileSync(file); return new Int16Array(b.buffer.slice(b.byteOffset + 44, b.byteOffset + b.length - (b.length % 2))); };
  return { file: files[8000], narrow: Float32Array.from(samples(files[8000]), (x) => x / 32768), wide: samples(files[48000]) };
}

export function toNarrow(pcm, rate) {
  const step = rate / RATE;
  if (step === 1) return pcm;
  return Float32Array.from({ length: Math.floor(pcm.length / step) }, (_, i) => { let s = 0; for (let k = 0; k < step; k++) s += pcm[i * step + k]; return s / step; });
}

const edges = Array.from({ length: 15 }, (_, i) => 150 * 2 ** (i / 3)).filter((f) => f < 3800);

// Loudness of each band in each frame.
function bands(pcm) {
  const cos = [], sin = [];
  for (let k = 0; k <= WINDOW / 2; k++) {
    cos.push(Float32Array.from({ length: WINDOW }, (_, i) => Math.cos((2 * Math.PI * k * i) / WINDOW) * (0.5 - 0.5 * Math.cos((2 * Math.PI * i) / WINDOW))));
    sin.push(Float32Array.from({ length: WINDOW }, (_, i) => Math.sin((2 * Math.PI * k * i) / WINDOW) * (0.5 - 0.5 * Math.cos((2 * Math.PI * i) / WINDOW))));
  }
  const frames = [];
  for (let at = 0; at + WINDOW <= pcm.length; at += HOP) {
    const frame = new Float32Array(edges.length - 1);
    for (let b = 0; b + 1 < edges.length; b++) {
      let sum = 0;
      for (let k = Math.ceil((edges[b] * WINDOW) / RATE); k < (edges[b + 1] * WINDOW) / RATE; k++) {
        let re = 0, im = 0;
        for (let i = 0; i < WINDOW; i++) { const x = pcm[at + i]; re += x * cos[k][i]; im += x * sin[k][i]; }
        sum += re * re + im * im;
      }
      frame[b] = Math.sqrt(sum);
    }
    frames.push(frame);
  }
  return frames;
}

function correlation(a, b, fromA, fromB) {
  let total = 0, count = 0;
  for (let band = 0; band < a[0].length; band++) {
    let ma = 0, mb = 0;
    for (let i = 0; i < PIECE; i++) { ma += a[fromA + i][band] / PIECE; mb += b[fromB + i][band] / PIECE; }
    let ab = 0, aa = 0, bb = 0;
    for (let i = 0; i < PIECE; i++) { const x = a[fromA + i][band] - ma, y = b[fromB + i][band] - mb; ab += x * y; aa += x * x; bb += y * y; }
    if (aa > 1e-9) { total += bb > 1e-12 ? ab / Math.sqrt(aa * bb) : 0; count++; }
  }
  return count ? total / count : 0;
}

function bestLag(a, b, at, near, reach) {
  let best = { lag: near, score: -1 };
  for (let lag = near - reach; lag <= near + reach; lag++) {
    if (at + lag < 0 || at + lag + PIECE > b.length) continue;
    const score = correlation(a, b, at, at + lag);
    if (score > best.score) best = { lag, score };
  }
  return best;
}

// Both at 8 kHz; `received` may begin anywhere up to `early` seconds before the first word and end before the last one. Also tells by how many ms the delay
// moved from the first to the last third: drift.
export function compare(sent, received, early = 4) {
  const a = bands(sent), b = bands(received), loud = Math.max(...a.map((f) => f.reduce((s, x) => s + x, 0)));
  const speaks = (at) => a.slice(at, at + PIECE).filter((f) => f.reduce((s, x) => s + x, 0) > loud / 30).length > PIECE / 2;
  const starts = [];
  for (let at = 0; at + PIECE <= a.length; at += PIECE) if (speaks(at)) starts.push(at);
  // Where the whole of it lies: by the piece that fits best anywhere.
  const reach = (early * RATE) / HOP;
  const first = starts.slice(1, 5).map((at) => bestLag(a, b, at, 0, reach)).sort((x, y) => y.score - x.score)[0];
  const pieces = starts.map((at) => bestLag(a, b, at, first.lag, SEARCH)).filter((p) => p.score > -1);
  const lags = pieces.filter((p) => p.score > 0.7).map((p) => p.lag), third = Math.floor(lags.length / 3);
  const mean = (list) => list.reduce((s, x) => s + x, 0) / Math.max(1, list.length);
  return {
    similarity: Math.round(1000 * mean(pieces.map((p) => p.score))) / 1000,
    pieces: pieces.length,
    driftMs: Math.round((mean(lags.slice(-third)) - mean(lags.slice(0, third))) * (HOP / RATE) * 1000),
  };
}
