#!/usr/bin/env node
// Runs the end-to-end tests one after the other and ends with "N passed, N failed": run.mjs [NAME...]
import fs from 'node:fs';
import path from 'node:path';
import { run } from 'node:test';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const wanted = process.argv.slice(2);
const files = fs.readdirSync(here).filter((f) => f.endsWith('.test.mjs'))
  .filter((f) => !wanted.length || wanted.some((w) => f.startsWith(w))).sort().map((f) => path.join(here, f));

let passed = 0, failed = 0;
const name = (e) => `${path.basename(e.file ?? '')}: ${e.name}`;
run({ files, concurrency: 1, timeout: 180000 })
  .on('test:pass', (e) => { if (e.skip !== undefined) console.log(`skip  ${name(e)}`); else if (e.details.type !== 'suite' && !e.name.endsWith('.mjs')) { passed++; console.log(`ok    ${name(e)} (${Math.round(e.details.duration_ms)} ms)`); } })
  .on('test:fail', (e) => {
    failed++;
    const why = e.details.error?.cause ?? e.details.error;
    console.log(`FAIL  ${name(e)}\n${String(why?.stack ?? why).split('\n').map((l) => `      ${l}`).join('\n')}`);
  })
  .on('test:stderr', (e) => process.env.VERBOSE && process.stderr.write(e.message))
  .on('test:stdout', (e) => process.env.VERBOSE && process.stdout.write(e.message))
  .on('end', () => { console.log(`${passed} passed, ${failed} failed`); process.exitCode = failed ? 1 : 0; })
  .resume?.();
