// Bundles the page into dist/: index.html, app.js, app.css, favicon.svg and the licences of what was
// bundled. Everything is local, so a strict Content-Security-Policy can be set for it.
import { build } from 'esbuild';
import { copyFile, mkdir, readdir, rm, stat } from 'node:fs/promises';

const out = new URL('dist/', import.meta.url);
const src = new URL('src/', import.meta.url);

await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });

await build({
  absWorkingDir: new URL('.', import.meta.url).pathname,
  entryPoints: { app: 'src/main.tsx' },
  outdir: 'dist',
  bundle: true,
  minify: true,
  format: 'esm',
  target: ['chrome109', 'firefox115', 'safari16'],
  jsx: 'automatic',
  define: { 'process.env.NODE_ENV': '"production"' },
  legalComments: 'linked',
  logLevel: 'warning',
});

for (const name of ['index.html', 'favicon.svg']) {
  await copyFile(new URL(name, src), new URL(name, out));
}

for (const name of (await readdir(out)).sort()) {
  const { size } = await stat(new URL(name, out));
  console.log(`${name.padEnd(24)} ${(size / 1024).toFixed(1).padStart(8)} KiB`);
}
