// The page in headless Chromium against the simulator, as a person would: form, room, call, keys, hang up, call again - with a tone
// measured in both directions: the microphone's 440 Hz comes back from the bank's echo, and the bank's own 1000 Hz is heard.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { chromium } from 'playwright-core';
import { analyse } from '../conformance/clients/lib/tone.mjs';
import { Server, until } from './lib/server.mjs';
import { assertTone } from './lib/people.mjs';

const MIC_HZ = 440;
let server, browser;

function wav(file, freq) {
  const rate = 48000, n = rate * 10, b = Buffer.alloc(44 + n * 2);
  b.write('RIFF'); b.writeUInt32LE(36 + n * 2, 4); b.write('WAVEfmt ', 8); b.writeUInt32LE(16, 16); b.writeUInt16LE(1, 20); b.writeUInt16LE(1, 22);
  b.writeUInt32LE(rate, 24); b.writeUInt32LE(rate * 2, 28); b.writeUInt16LE(2, 32); b.writeUInt16LE(16, 34); b.write('data', 36); b.writeUInt32LE(n * 2, 40);
  for (let i = 0; i < n; i++) b.writeInt16LE(Math.round(8192 * Math.sin((2 * Math.PI * freq * i) / rate)), 44 + i * 2);
  fs.writeFileSync(file, b);
}

before(async () => {
  server = await Server.start();
  const mic = path.join(server.folder, 'mic.wav');
  wav(mic, MIC_HZ);
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', headless: true,
    args: ['--no-sandbox', '--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream', `--use-file-for-fake-audio-capture=${mic}`,
      '--allow-loopback-in-peer-connection', '--autoplay-policy=no-user-gesture-required', '--disable-gpu', '--disable-background-timer-throttling'],
  });
});
after(async () => { await browser?.close(); await server?.stop(); });

// Two seconds of what the page plays.
const hear = async (page) => {
  const pcm = await page.evaluate(() => new Promise((resolve) => {
    const context = new AudioContext({ sampleRate: 48000 });
    const ear = context.createScriptProcessor(4096, 1, 1);
    const parts = [];
    for (const a of document.querySelectorAll('audio')) if (a.srcObject) context.createMediaStreamSource(a.srcObject).connect(ear);
    ear.connect(context.destination);
    ear.onaudioprocess = (e) => {
      parts.push(...e.inputBuffer.getChannelData(0));
      if (parts.length >= 96000) { ear.onaudioprocess = null; context.close(); resolve(parts); }
    };
  }));
  return analyse(Float32Array.from(pcm), 48000);
};
// Whatever was playing gives way first: the tone counts once two whole seconds of it were heard.
const hearTone = async (page, freq, what) => {
  let why;
  await until(async () => { try { assertTone(await hear(page), freq, what); return true; } catch (e) { why = e; return false; } }, 20000, what)
    .catch(() => { throw why; });
};

async function openPage(requests) {
  const context = await browser.newContext({ permissions: ['microphone'], viewport: { width: 375, height: 812 } });
  const page = await context.newPage();
  page.problems = [];
  // Keeps the page's peer connections within reach of the test, for their statistics.
  await page.addInitScript(() => {
    const Real = window.RTCPeerConnection;
    window.peerConnections = [];
    window.RTCPeerConnection = class extends Real { constructor(...a) { super(...a); window.peerConnections.push(this); } };
  });
  page.on('pageerror', (e) => page.problems.push(String(e)));
  page.on('console', (m) => { if (m.type() === 'error') page.problems.push(m.text()); });
  page.on('request', (r) => requests.push(r.url()));
  await page.goto(server.backend);
  return page;
}

async function fillForm(page) {
  await page.getByTestId('merchant').fill('Corner Books');
  await page.getByTestId('amount').fill('42.50');
  await page.getByTestId('date').fill('2026-01-15');
  await page.getByTestId('reason').selectOption('duplicate');
  await page.getByTestId('bank').selectOption('harbor');
  await page.getByTestId('save').click();
  await page.locator('[data-testid="call-bank"][aria-disabled="false"]').waitFor({ timeout: 15000 });
}

// The codecs of what the page receives just now.
const receivedCodecs = (page) => page.evaluate(async () => {
  const found = new Set();
  for (const pc of window.peerConnections) {
    const stats = await pc.getStats();
    for (const s of stats.values()) if (s.type === 'inbound-rtp' && s.packetsReceived > 0) found.add(stats.get(s.codecId)?.mimeType);
  }
  return [...found];
});

const state = (page, wanted, ms = 15000) => page.locator(`[data-testid="call-state"][data-state="${wanted}"]`).waitFor({ timeout: ms });
const press = (page, key) => page.getByTestId(`key-${key}`).click();

test('a person saves a dispute, calls the bank, presses keys, hears and is heard, hangs up, calls again', async () => {
  const requests = [];
  const page = await openPage(requests);
  await fillForm(page);
  await page.getByTestId('call-bank').click();
  await state(page, 'connected');
  await page.getByTestId('call-timer').waitFor();
  assert.match(await page.locator('[aria-live=polite]').first().innerText(), /connected/i);

  await page.getByTestId('keypad-toggle').click();
  await press(page, 3);
  await hearTone(page, 1000, 'the bank’s test tone is heard');
  assert.deepEqual(await receivedCodecs(page), ['audio/PCMU'], 'the phone is forwarded as it is, not made Opus');
  await press(page, 2);
  await hearTone(page, MIC_HZ, 'the bank hears the microphone and echoes it');

  await page.getByTestId('mute').click();
  await until(async () => (await hear(page)).level < -60, 10000, 'muted: the echo is silent');
  await page.getByTestId('mute').click();
  await hearTone(page, MIC_HZ, 'unmuted: the echo is back');

  await page.getByTestId('hang-up').click();
  await state(page, 'ended');
  assert.match(await page.getByTestId('call-ended-reason').innerText(), /ended|hung up/i);

  await page.getByTestId('call-again').click();
  await state(page, 'connected');
  await page.getByTestId('keypad-toggle').click();
  await press(page, 9);
  await state(page, 'ended', 20000);
  assert.match(await page.getByTestId('call-ended-reason').innerText(), /hung up/i);

  const elsewhere = requests.filter((u) => !/^(http|ws|blob|data):\/?\/?(127\.0\.0\.1|localhost)?/.test(u));
  assert.deepEqual(elsewhere, [], 'no request leaves the machine');
  assert.deepEqual(page.problems, [], 'no error in the page');
  await page.context().close();
});
