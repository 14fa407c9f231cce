// The built page in a real Chromium, against a backend and a room made of nothing. CHROMIUM names
// the browser (default /usr/bin/chromium). With SHOTS=folder each view is also saved as a picture.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';
import { startBackend } from './fake_backend.mjs';
import { openFakeRoom } from './fake_room.mjs';

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const AXE_RUN = `${axe}; axe.run({ resultTypes: ['violations'] }).then((r) =>
  r.violations.flatMap((v) => v.nodes.map((n) => v.id + ': ' + n.html.slice(0, 120))))`;

let browser;
before(async () => {
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--use-fake-device-for-media-stream',
      '--allow-loopback-in-peer-connection',
      '--disable-features=WebRtcHideLocalIpsWithMdns',
    ],
  });
});
after(() => browser?.close());

/** A fresh backend, room and page; `more` are options of the browser context. */
async function open(t, more = {}) {
  const backend = await startBackend();
  const context = await browser.newContext({ permissions: ['microphone'], ...more });
  t.after(async () => {
    await context.close();
    backend.stop();
  });
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  const problems = [];
  const hosts = new Set();
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (m) => /Content Security Policy/.test(m.text()) && problems.push(m.text()));
  page.on('request', (request) => hosts.add(new URL(request.url()).origin + '/'));
  const room = await openFakeRoom(context, page);
  await page.bringToFront();
  await page.goto(backend.url);

  const at = (id) => page.getByTestId(id);
  const view = {
    backend,
    context,
    page,
    room,
    problems,
    hosts,
    at,
    phase: (name) => page.waitForSelector(`[data-testid=call-state][data-state=${name}]`),
    ready: () => page.waitForSelector('.button-call[aria-disabled=false]'),
    focus: () => page.evaluate(() => document.activeElement?.dataset.testid),
    spoken: () => page.locator('[aria-live=polite]').textContent(),
    fill: async () => {
      await at('merchant').fill('Corner Shop on 5th');
      await at('amount').fill('142.50');
      await at('date').fill('2025-11-03');
      await at('reason').selectOption('duplicate');
      await at('bank').selectOption('first-national');
    },
    look: async (name) => {
      const { SHOTS } = process.env;
      const file = `${SHOTS}/${name}-${more.viewport?.width}-${more.colorScheme}.png`;
      if (SHOTS) await page.screenshot({ path: file, fullPage: true });
      // Through the debugger, which the page's own policy does not bind.
      const session = await context.newCDPSession(page);
      const asked = { expression: AXE_RUN, awaitPromise: true, returnByValue: true };
      const { result } = await session.send('Runtime.evaluate', asked);
      assert.deepEqual(result.value, [], name);
    },
  };
  return view;
}

/** Loudest moment of the page's sound within a deadline, as RMS. */
function loudness(page) {
  return page.evaluate(async () => {
    const context = new AudioContext();
    const analyser = context.createAnalyser();
    context.createMediaStreamSource(document.querySelector('audio').srcObject).connect(analyser);
    const wave = new Float32Array(analyser.fftSize);
    const until = performance.now() + 5000;
    let rms = 0;
    while (rms < 0.1 && performance.now() < until) {
      await new Promise(requestAnimationFrame);
      analyser.getFloatTimeDomainData(wave);
      rms = Math.hypot(...wave) / Math.sqrt(wave.length);
    }
    return rms;
  });
}

const RECORD = {
  call: {
    id: 'call1',
    trunk: { name: 'bank', address: 'sip.example' },
    times: { asked: 1000, first_response: 1020, answered: 3000, ended: 9000 },
    ending: { code: 'far_end_hung_up', message: 'x', ended_by: 'far_end', retry: 'no', q850: 16 },
  },
  ladder: '             us 192.0.2.1:5060'.padEnd(70) + 'UDP 192.0.2.2:5060\n    0.000 s  |- INVITE (1) ->|\n',
};

const SIZES = [
  { width: 375, height: 812 },
  { width: 1280, height: 800 },
];
for (const viewport of SIZES) {
  for (const colorScheme of ['light', 'dark']) {
    test(`every view at ${viewport.width} px, ${colorScheme}`, async (t) => {
      const { backend, page, room, at, ...view } = await open(t, {
        viewport,
        colorScheme,
        reducedMotion: 'reduce',
      });
      backend.onOutbound = (n) => room.setPhone(n, 'dialing');
      backend.record = RECORD;

      await at('save').click();
      await view.look('1-form-problems');
      await view.fill();
      await view.look('2-form');
      await at('save').click();
      await view.ready();
      await view.look('3-room');
      await at('call-bank').click();
      await view.phase('dialing');
      await view.look('4-dialing');
      room.setPhone(1, 'ringing');
      await view.phase('ringing');
      await view.look('5-ringing');
      room.setPhone(1, 'active');
      await room.sound(1);
      await view.phase('connected');
      await at('keypad-toggle').click();
      await at('key-5').click();
      await view.look('6-connected');
      room.setPhone(1, 'hangup', { 'ringdown.endedReason': 'The bank hung up.' });
      room.dropPhone(1);
      await view.phase('ended');
      await at('call-details').locator('summary').click();
      await at('call-ladder').waitFor();
      await view.look('7-ended');

      const width = await page.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(width <= viewport.width, 'nothing scrolls sideways');
      assert.deepEqual(view.problems, []);
      assert.deepEqual([...view.hosts], [backend.url], 'no request leaves the origin');
    });
  }
}

test('a call from dialing to the bank hanging up, and again', async (t) => {
  const { backend, page, room, at, ...view } = await open(t);
  backend.onOutbound = (n) => room.setPhone(n, 'dialing');
  await view.fill();
  await at('save').click();
  await view.ready();
  assert.deepEqual(backend.tokens[0].participant_attributes, {
    'dispute.merchant': 'Corner Shop on 5th',
    'dispute.amount': '$142.50',
    'dispute.date': '2025-11-03',
    'dispute.reason': 'I was charged twice',
    'dispute.bank': 'First National Bank',
  });

  await at('call-bank').click();
  await view.phase('dialing');
  assert.equal(await view.spoken(), 'Dialing First National Bank.');
  assert.equal(await view.focus(), 'hang-up');
  room.setPhone(1, 'ringing');
  await view.phase('ringing');
  assert.equal(await view.spoken(), 'Ringing First National Bank.');
  room.setPhone(1, 'active');
  await room.sound(1);
  await view.phase('connected');
  await page.waitForSelector('audio', { state: 'attached' });
  assert.ok((await loudness(page)) >= 0.1, 'the bank is heard');

  await at('keypad-toggle').click();
  await at('key-5').click();
  await at('key-star').click();
  await page.keyboard.press('1');
  await page.keyboard.press('#');
  await at('mute').click();
  await page.waitForSelector('[data-testid=mute][data-muted=true]');
  await at('mute').click();
  await page.waitForSelector('[data-testid=mute][data-muted=false]');
  assert.deepEqual(room.digits, ['5:5', '10:*', '1:1', '11:#']);
  assert.equal(room.muted, false);

  room.setPhone(1, 'hangup', { 'ringdown.endedReason': 'The bank hung up.' });
  room.dropPhone(1);
  await view.phase('ended');
  assert.equal(await at('call-ended-reason').textContent(), 'The bank hung up.');
  assert.equal(await view.spoken(), 'Call ended. The bank hung up.');
  assert.equal(await view.focus(), 'call-again');

  assert.equal(await at('call-details').count(), 0, 'nothing to unfold for who may not read it');

  backend.record = RECORD;
  backend.onHangUp = (n) => room.dropPhone(n);
  await at('call-again').click();
  await view.phase('dialing');
  await at('hang-up').click();
  await view.phase('ended');
  assert.equal(await at('call-ended-reason').textContent(), 'You hung up.');
  assert.equal(backend.hangUps[0].participant_identity, 'sip_2');
  assert.notEqual(backend.calls[0].key, backend.calls[1].key);
  await at('call-details').locator('summary').click();
  assert.match(await at('call-details').textContent(), /Ended bythe other side/);
  assert.match(await at('call-ladder').textContent(), /\|- INVITE \(1\) ->\|/);

  backend.refusal = 'That is not a telephone number.';
  await at('call-again').click();
  await page.getByText('That is not a telephone number.', { exact: true }).waitFor();
});

test('a reload in the middle of a call comes back to it; leaving ends it', async (t) => {
  const { backend, page, room, at, ...view } = await open(t);
  backend.onOutbound = (n) => room.setPhone(n, 'active');
  await view.fill();
  await at('save').click();
  await view.ready();
  await at('call-bank').click();
  await view.phase('connected');

  room.others = [room.phone(1, 'active')];
  await page.reload();
  await view.phase('connected');
  assert.equal(backend.tokens[1].room_name, backend.tokens[0].room_name);
  assert.equal(backend.tokens[1].participant_identity, backend.tokens[0].participant_identity);

  await at('leave').click();
  await at('save').waitFor();
  assert.equal(await at('merchant').inputValue(), 'Corner Shop on 5th');
  assert.equal(backend.hangUps[0].participant_identity, 'sip_1');
});

test('a lost signal is told and mended, a closed room can be joined again', async (t) => {
  const { backend, page, room, at, ...view } = await open(t);
  backend.onOutbound = (n) => room.setPhone(n, 'active');
  await view.fill();
  await at('save').click();
  await view.ready();
  await at('call-bank').click();
  await view.phase('connected');

  room.cut();
  const notice = page.getByText('Reconnecting');
  await notice.waitFor();
  await notice.waitFor({ state: 'detached' });
  await view.phase('connected');

  room.send('leave', { reason: 5, action: 0 });
  await view.phase('ended');
  await page.getByText('The room was closed.').waitFor();
  await page.getByRole('button', { name: 'Join again' }).click();
  await view.ready();
  assert.equal(room.joins, 2);
  assert.equal(backend.tokens.length, 2, 'with a fresh token');
});

test('a blocked microphone is told in plain words and can be tried again', async (t) => {
  const { context, page, at, ...view } = await open(t, { permissions: [] });
  await view.fill();
  await at('save').click();
  await view.ready();
  await page.getByText('The microphone is blocked').waitFor();
  await context.grantPermissions(['microphone']);
  await page.getByRole('button', { name: 'Try again' }).click();
  await page.getByText('The microphone is blocked').waitFor({ state: 'detached' });
});
