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

// Runs them; resolves to {passed, failed: [{file, name}]}.
const round = (options, note) => new Promise((done) => {
  const result = { passed: 0, failed: [] };
  run({ concurrency: 1, timeout: 600000, ...options })
    .on('test:pass', (e) => {
      if (e.skip !== undefined) { if (!options.testNamePatterns) console.log(`skip  ${nameOf(e)}`); return; }
      if (e.details.type === 'suite' || e.name.endsWith('.mjs')) return;
      result.passed++;
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

let { passed, failed } = await round({ files }, '');
if (failed.length && failed.length <= SECOND_TRIES && failed.every((f) => f.file)) {
  console.log(`once more, alone: ${failed.map((f) => f.name).join('; ')}`);
  const still = [];
  for (const one of failed) {
    const again = await round({ files: [one.file], testNamePatterns: [exactly(one.name)] }, ' (second try)');
    if (again.passed && !again.failed.length) passed += again.passed;
    else still.push(one);
  }
  failed = still;
}
console.log(`${passed} passed, ${failed.length} failed`);
process.exitCode = failed.length ? 1 : 0;
