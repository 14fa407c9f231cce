// How long a server takes to answer a ping, asked again and again from a thread of its own.
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads';
import { fileURLToPath } from 'node:url';
import { Raw } from '../../conformance/clients/lib/raw.mjs';

// { worst(): the slowest answer in ms since the last time it was asked; told(): bytes of others' metadata that it heard of; stop() }
export async function watch(url, token) {
  const worker = new Worker(fileURLToPath(import.meta.url), { workerData: { url: `${url}/rtc?protocol=17&auto_subscribe=0&access_token=${token}` } });
  const say = (what) => new Promise((yes, no) => {
    worker.once('message', (m) => (m.error ? no(new Error(m.error)) : yes(m.value)));
    worker.postMessage(what);
  });
  await new Promise((r) => worker.once('message', r));
  return { worst: () => say('worst'), told: () => say('told'), stop: () => worker.terminate() };
}

if (!isMainThread && workerData?.url) {
  const raw = await Raw.open({ closers: [] }, workerData.url);
  let worst = 0, error, told = 0, asked = 0;
  await raw.next('join');
  const push = raw.push.bind(raw);
  raw.push = (m) => {
    if (m.case === 'update') for (const p of m.value.participants) told += p.metadata.length;
    push(m);
    raw.log.splice(0, raw.log.length - 20);
  };
  parentPort.on('message', (what) => {
    parentPort.postMessage({ error, value: { worst: Math.max(worst, asked ? Date.now() - asked : 0), told }[what] });
    if (what === 'worst') worst = 0;
  });
  parentPort.postMessage({});
  for (;;) {
    asked = Date.now();
    if (!(await raw.fence().catch(() => false))) break;
    worst = Math.max(worst, Date.now() - asked);
    asked = 0;
    await new Promise((r) => { setTimeout(r, 20); });
  }
  error = `no answer: ${raw.log.map((m) => m.case + (m.case === 'leave' ? m.value.toJsonString() : '')).slice(-5)}`;
}
