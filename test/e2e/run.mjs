#!/usr/bin/env node
// Runs the end-to-end tests one after the other and ends with "N passed, N failed": run.mjs [NAME...]
// Browsers and telephones that speak in real time depend on the machine's clock: what fails is tried once more when the
// rest is through, and the run says so. More than a few failures are no matter of the clock, and are left as they are.
import fs from 'node:fs';
import path from 'node:path';
import { run } from 'node:test';
import { fileURLToPath } from 'node:url';

const SECOND_TRIES = 3;
const here = path.dirname(fileURLToPath(import.meta.url));
const wanted = process.argv.slice(2);
const files = fs.readdirSync(here).filter((f) => f.endsWith('.test.mjs'))
  .filter((f) => !wanted.length || wanted.some((w) => f.startsWith(w))).sort().map((f) => path.join(here, f));

const nameOf = (e) => `${path.basename(e.file ?? '')}: ${e.name}`;
const reason = (e) => {
  const why = e.details.error?.cause ?? e.details.error;
  return String(why?.stack ?? why).split('\n').map((l) => `      ${l}`).join('\n');
};
const exactly = (name) => new RegExp(`^${name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`);

// Runs them; resolves to {passed, failed: [{file, name}]}. A file that hung or broke is in `failed` by its own name.
const round = (options, note) => new Promise((done) => {
  const result = { passed: [], failed: [] };
  run({ concurrency: 1, timeout: 300000, ...options })
    .on('test:pass', (e) => {
      if (e.skip !== undefined) { if (!options.testNamePatterns) console.log(`skip  ${nameOf(e)}`); return; }
      if (e.details.type === 'suite' || e.name.endsWith('.mjs')) return;
      result.passed.push({ file: e.file, name: e.name });
      console.log(`ok    ${nameOf(e)} (${Math.round(e.details.duration_ms)} ms)${note}`);
    })
    .on('test:fail', (e) => {
      if (e.details.error?.failureType === 'subtestsFailed') return; // what failed in it was told by itself
      result.failed.push({ file: e.file, name: e.name });
      console.log(`FAIL  ${nameOf(e)}${note}\n${reason(e)}`);
    })
    .on('test:stderr', (e) => process.env.VERBOSE && process.stderr.write(e.message))
    .on('test:stdout', (e) => process.env.VERBOSE && process.stdout.write(e.message))
    .on('end', () => done(result))
    .resume?.();
});

const isFile = (f) => f.name.endsWith('.mjs');

let { passed, failed } = await round({ files }, '');
// Of a file that hung nobody knows what else would have failed: it is tried again whole, and what it said does not count.
const hung = new Set(failed.filter(isFile).map((f) => path.resolve(here, f.file ?? f.name)));
const whole = (f) => hung.has(path.resolve(here, f.file ?? f.name));
const tries = [...[...hung].map((file) => ({ files: [file] })),
  ...failed.filter((f) => !whole(f)).map((f) => ({ files: [f.file], testNamePatterns: [exactly(f.name)] }))];
if (tries.length && tries.length <= SECOND_TRIES && tries.every((t) => t.files[0])) {
  console.log(`once more, alone: ${failed.filter((f) => !whole(f) || isFile(f)).map((f) => path.basename(f.name)).join('; ')}`);
  passed = passed.filter((f) => !whole(f));
  failed = [];
  for (const one of tries) {
    const again = await round(one, ' (second try)');
    passed.push(...again.passed);
    failed.push(...again.failed);
    if (!again.passed.length && !again.failed.length) failed.push({ file: one.files[0], name: 'nothing ran' });
  }
}
console.log(`${passed.length} passed, ${failed.length} failed`);
process.exitCode = failed.length ? 1 : 0;
