// One Ringdown under test: the real program, its own ports and data folder, stopped and cleaned up by stop().
import { spawn } from 'node:child_process';
import dgram from 'node:dgram';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { AccessToken, RoomServiceClient, SipClient } from 'livekit-server-sdk';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..');
export const binary = process.env.RINGDOWN ?? path.join(root, 'build/ringdown');
export const KEY = 'devkey', SECRET = 'secret';

const listen = (port) => new Promise((resolve) => {
  const s = net.createServer().on('error', () => resolve(undefined)).listen(port, '127.0.0.1', () => resolve(s));
});
const bindUdp = (port) => new Promise((resolve) => {
  const s = dgram.createSocket('udp4').on('error', () => resolve(undefined));
  s.bind(port, '127.0.0.1', () => resolve(s));
});

// Ports free for TCP and UDP alike, held until all are found so that none is given twice. Not of those that the
// kernel gives to whoever asks for any: between our letting go and the server's taking one, others ask all the time.
export async function freePorts(count) {
  const held = [], ports = [];
  while (ports.length < count) {
    const port = 10000 + Math.floor(Math.random() * 14000), tcp = await listen(port);
    if (!tcp) continue;
    held.push(tcp);
    const udp = await bindUdp(port);
    if (!udp) continue;
    held.push(udp);
    ports.push(port);
  }
  await Promise.all(held.map((s) => new Promise((r) => s.close(r))));
  return ports;
}

// `ms`: what a machine with nothing else to do needs at the very most; a loaded one is given several times as much. What must
// not take longer than something else is measured by that other thing, not by this clock.
const LOADED = 4;
export async function until(test, ms, what) {
  const end = Date.now() + LOADED * ms;
  for (;;) {
    const value = await test();
    if (value) return value;
    if (Date.now() > end) throw new Error(`${what}: not within ${LOADED * ms} ms`);
    await new Promise((r) => setTimeout(r, 25));
  }
}

export class Server {
  // options: dev (true), yaml (more lines), env, data (a folder to keep), tls (yaml sets it), bind (addresses), rtc (lines in place of node_ip), sip (more lines), listen (sip.listen_ip; null = none)
  static async start(options = {}, tries = 4) {
    // Somebody may take a port between our looking and the server's binding it: then others.
    return Server.#start(options).catch((e) => {
      if (tries > 1 && !options.ports && !options.data && /ended at start[^]*is in use/.test(e.message)) return Server.start(options, tries - 1);
      throw e;
    });
  }
  static async #start(options) {
    const s = new Server();
    s.options = options;
    [s.port, s.udpPort, s.sipPort, s.backendPort, s.simulatorPort] = options.ports ?? (await freePorts(5));
    s.folder = options.data ?? fs.mkdtempSync(path.join(os.tmpdir(), 'ringdown-'));
    // Above the ports of everything else here, and below those that the kernel gives to whoever asks for any: no call's sound
    // takes a port that was found free for a telephone meanwhile.
    const low = 24000 + 2 * Math.floor(Math.random() * 4000);
    fs.writeFileSync(path.join(s.folder, 'config.yaml'), `
port: ${s.port}
bind_addresses: ${JSON.stringify(options.bind ?? ['127.0.0.1'])}
keys:
  ${KEY}: ${SECRET}
rtc:
  udp_port: ${s.udpPort}
  tcp_port: ${s.udpPort}
  ${(options.rtc ?? ['node_ip: 127.0.0.1']).join('\n  ')}
sip:
  sip_port: ${s.sipPort}
${options.listen === null ? '' : `  listen_ip: ${options.listen ?? '127.0.0.1'}\n`}${(options.sip ?? []).map((line) => `  ${line}\n`).join('')}  rtp_port: ${low}-${low + 400}
backend:
  port: ${s.backendPort}
simulator:
  enabled: ${options.simulator ?? true}
  sip_port: ${s.simulatorPort}
data_dir: ${s.folder}
${options.yaml ?? ''}
`);
    await s.run();
    return s;
  }
  async run() {
    const args = ['serve', ...(this.options.dev === false ? [] : ['--dev']), '--config', path.join(this.folder, 'config.yaml')];
    this.log = '';
    this.child = spawn(binary, args, { cwd: this.folder, env: { ...process.env, ...this.options.env }, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.child.stdout, this.child.stderr]) stream.on('data', (d) => { this.log += d; });
    this.exited = new Promise((r) => this.child.on('exit', (code, signal) => { this.code = code; this.signal = signal; r(); }));
    await until(async () => {
      if (this.code !== undefined || this.signal) throw new Error(`the server ended at start:\n${this.log}`);
      return (await fetch(this.http).catch(() => undefined))?.ok;
    }, 15000, 'the server answers GET /').catch((e) => { throw new Error(`${e.message}\n${this.log}`); });
  }
  get s() { return this.options.tls ? 's' : ''; }
  get host() { const ip = this.options.bind?.[0] ?? '127.0.0.1'; return ip.includes(':') ? `[${ip}]` : ip; }
  get http() { return `http${this.s}://${this.host}:${this.port}`; }
  get ws() { return `ws${this.s}://${this.host}:${this.port}`; }
  get backend() { return `http${this.s}://${this.host}:${this.backendPort}`; }
  get rooms() { return new RoomServiceClient(this.http, KEY, SECRET); }
  get sip() { return new SipClient(this.http, KEY, SECRET); }
  async token(room, identity, grant = {}) {
    const t = new AccessToken(KEY, SECRET, { identity });
    t.addGrant({ roomJoin: true, room, ...grant });
    return t.toJwt();
  }
  async post(pathname, body, headers = {}) {
    const r = await fetch(this.backend + pathname, {
      method: 'POST', headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' || body === undefined ? body : JSON.stringify(body),
    });
    const text = await r.text();
    let json;
    try { json = JSON.parse(text); } catch { json = undefined; }
    return { status: r.status, json, text, headers: r.headers };
  }
  dial(room, number, more = {}, headers) { return this.post('/livekit/sip/outbound', { room, phone_number: number, ...more }, headers); }
  async phone(room) { return (await this.rooms.listParticipants(room)).find((p) => p.kind === 3); }
  async cli(args, env = {}) {
    const child = spawn(binary, args, { cwd: this.folder, env: { ...process.env, LIVEKIT_URL: this.http, LIVEKIT_API_KEY: KEY, LIVEKIT_API_SECRET: SECRET, ...env } });
    let out = '', err = '';
    child.stdout.on('data', (d) => { out += d; });
    child.stderr.on('data', (d) => { err += d; });
    const code = await new Promise((r) => child.on('close', r)); // not at 'exit': what it said may still be on its way
    return { code, out, err };
  }
  async kill(signal = 'SIGKILL') { this.child.kill(signal); await this.exited; }
  // Ends cleanly or says why not; the folder goes unless it is to be kept.
  async stop(keep = false) {
    if (this.code === undefined && !this.signal) {
      this.child.kill('SIGTERM');
      const late = setTimeout(() => this.child.kill('SIGKILL'), 20000);
      await this.exited;
      clearTimeout(late);
    }
    if (!keep) fs.rmSync(this.folder, { recursive: true, force: true });
    if (this.code !== 0 && !this.wanted) throw new Error(`the server ended with ${this.code ?? this.signal}:\n${this.log.slice(-4000)}`);
  }
}
