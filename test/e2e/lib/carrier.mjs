// `ringdown simulate` under test: started on free ports, commanded over stdin, its JSON events kept.
import { spawn } from 'node:child_process';
import { binary, freePorts, until } from './server.mjs';

export class Carrier {
  // options: profile, ips (several edges), quirks, numbers {number: script}, tls (a folder), args (more of them)
  static async start(options = {}) {
    const c = new Carrier();
    c.events = [];
    c.replies = [];
    c.log = '';
    [c.port, c.tlsPort] = await freePorts(2);
    c.ips = options.ips ?? ['127.0.0.1'];
    const args = ['simulate', '--profile', options.profile ?? 'twilio', '--ip', c.ips.join(','), '--port', c.port, '--json', '-', '--trace',
      '--control', '--seed', '1', ...(options.tls ? ['--tls', options.tls, '--tls-port', c.tlsPort] : []), ...(options.quirks ?? []).flatMap((q) => ['--quirk', q]),
      ...Object.entries(options.numbers ?? {}).flatMap(([n, script]) => ['--number', `${n}=${script}`]), ...(options.args ?? [])];
    c.child = spawn(binary, args.map(String), { stdio: ['pipe', 'pipe', 'pipe'] });
    let rest = '';
    c.child.stdout.on('data', (d) => {
      const lines = (rest + d).split('\n');
      rest = lines.pop();
      for (const line of lines) c.take(line);
    });
    c.child.stderr.on('data', (d) => { c.log += d; });
    c.exited = new Promise((r) => c.child.on('exit', (code) => { c.code = code; r(); }));
    await until(() => { if (c.code !== undefined) throw new Error(c.log); return c.listens; }, 5000, 'the carrier listens');
    return c;
  }
  take(line) {
    if (line.startsWith('{')) this.events.push(JSON.parse(line));
    else if (/^(ok|bad) /.test(line)) this.replies.push(line);
    else if (/listens on/.test(line)) this.listens = true;
  }
  async control(line) {
    const before = this.replies.length;
    this.child.stdin.write(`${line}\n`);
    await until(() => this.replies.length > before, 3000, `the carrier answers "${line}"`);
    if (!this.replies[before].startsWith('ok')) throw new Error(`${line}: ${this.replies[before]}`);
  }
  // Events of the latest call to `number`, or all of them.
  of(number) {
    const call = this.events.findLast((e) => (e.event === 'received' && e.method === 'INVITE' && e.uri?.includes(number)) || (e.event === 'call' && e.number === number))?.call;
    return this.events.filter((e) => e.call === call);
  }
  has(number, event, test = () => true) { return this.of(number).find((e) => e.event === event && test(e)); }
  async sees(number, event, test, ms = 5000) {
    return until(() => this.has(number, event, test), ms, `the carrier sees ${event} of ${number}`)
      .catch((e) => { throw new Error(`${e.message}\n${this.of(number).map((x) => JSON.stringify({ ...x, message: undefined })).join('\n')}`); });
  }
  async stop() {
    this.child.stdin.end();
    const late = setTimeout(() => this.child.kill('SIGKILL'), 5000);
    await this.exited;
    clearTimeout(late);
    if (this.code !== 0) throw new Error(`the carrier ended with ${this.code}:\n${this.log}`);
  }
}
