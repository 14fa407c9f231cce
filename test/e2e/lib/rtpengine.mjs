// rtpengine, the media proxy of many carriers and SBCs, between the server and a plain phone: it speaks SRTP, DTLS, ICE, other codecs and
// other packet times towards the server, and what the phone knows towards the phone. A process of its own, told by its "ng" protocol.
import dgram from 'node:dgram';
import path from 'node:path';
import { Peer, isBound } from './peers.mjs';
import { freePorts, until } from './server.mjs';

// Bencode, as ng has it: strings, numbers, lists, dictionaries.
const encode = (x) => {
  if (typeof x === 'number') return `i${x}e`;
  if (typeof x === 'string') return `${Buffer.byteLength(x, 'latin1')}:${x}`;
  if (Array.isArray(x)) return `l${x.map(encode).join('')}e`;
  return `d${Object.entries(x).map(([k, v]) => encode(k) + encode(v)).join('')}e`;
};
function decode(text) {
  let at = 0;
  const until = (mark) => { const end = text.indexOf(mark, at), part = text.slice(at, end); at = end + 1; return part; };
  const items = () => { const all = []; at++; while (text[at] !== 'e') all.push(value()); at++; return all; };
  const value = () => {
    if (text[at] === 'i') { at++; return Number(until('e')); }
    if (text[at] === 'l') return items();
    if (text[at] === 'd') { const all = items(), d = {}; for (let i = 0; i < all.length; i += 2) d[all[i]] = all[i + 1]; return d; }
    const size = Number(until(':'));
    at += size;
    return text.slice(at - size, at);
  };
  return value();
}

export class Rtpengine {
  static async start(folder, more = []) {
    const [ng, low] = await freePorts(2), r = new Rtpengine();
    r.peer = new Peer('rtpengine', ['--foreground', '--log-stderr', '--log-level=6', '--table=-1', '--interface=127.0.0.1', `--listen-ng=127.0.0.1:${ng}`,
      `--port-min=${low}`, `--port-max=${low + 200}`, '--delete-delay=0', '--num-threads=2', '--config-file=none', `--pidfile=${path.join(folder, 'rtpengine.pid')}`, ...more], { cwd: folder });
    r.socket = dgram.createSocket('udp4').on('message', (m) => {
      const text = m.toString('latin1'), at = text.indexOf(' ');
      r.waiting.get(text.slice(0, at))?.(decode(text.slice(at + 1)));
    });
    r.waiting = new Map();
    r.ng = ng;
    await until(() => {
      if (r.peer.code !== undefined) throw new Error('rtpengine ended at start');
      return isBound('udp', ng);
    }, 8000, 'rtpengine listens').catch((e) => { throw new Error(`${e.message}\n${r.peer.log}`); });
    return r;
  }
  get log() { return this.peer.log; }
  async say(command, more) {
    const cookie = `${this.ng}_${this.count = (this.count ?? 0) + 1}`;
    const said = new Promise((r) => this.waiting.set(cookie, r));
    let late;
    const tooLate = new Promise((_, no) => { late = setTimeout(() => no(new Error(`rtpengine says nothing to ${command}\n${this.log.slice(-2000)}`)), 4000); });
    this.socket.send(Buffer.from(`${cookie} ${encode({ command, ...more })}`, 'latin1'), this.ng, '127.0.0.1');
    const answer = await Promise.race([said, tooLate]).finally(() => { clearTimeout(late); this.waiting.delete(cookie); });
    if (!['ok', 'pong'].includes(answer.result)) throw new Error(`rtpengine, ${command}: ${JSON.stringify(answer)}`);
    return answer;
  }
  async stop() { this.socket.close(); await this.peer.stop(); }
}

const tag = (head, name) => head.match(new RegExp(`^${name}:.*;tag=([^;\\s>]+)`, 'im'))?.[1];
const field = (head, name) => head.match(new RegExp(`^${name}: *(.*)`, 'im'))?.[1].trim();

// SIP over UDP between the server and the phone; each SDP goes through rtpengine. `toPhone` and `toServer` are words of ng for what it writes
// that way: {"transport-protocol": "RTP/SAVP", ICE: "force", flags: [...]}. `change(sdp, fromServer)`: what rtpengine gets to see instead.
export class Gateway {
  static async open(engine, phonePort, { toPhone = {}, toServer = {}, change = (sdp) => sdp } = {}) {
    const g = Object.assign(new Gateway(), { engine, phonePort, toPhone, toServer, change, sdps: [], errors: [], passing: Promise.resolve() });
    const [port] = await freePorts(1);
    g.port = port;
    g.sip = dgram.createSocket('udp4').on('message', (m, from) => {
      // One after the other, or a retransmission would overtake.
      g.passing = g.passing.then(() => g.pass(m.toString('latin1'), from.port)).catch((e) => g.errors.push(e));
    });
    await new Promise((r) => g.sip.bind(port, '127.0.0.1', r));
    return g;
  }
  async pass(text, from) {
    const fromServer = from !== this.phonePort, at = text.indexOf('\r\n\r\n');
    if (fromServer) this.serverPort = from;
    const head = text.slice(0, at), body = text.slice(at + 4);
    this.call = { 'call-id': field(head, 'Call-ID'), 'from-tag': tag(head, 'From'), 'to-tag': tag(head, 'To') };
    const sdp = /^m=audio/m.test(body) ? await this.through(/^SIP/.test(head) ? 'answer' : 'offer', body, fromServer) : body;
    // What comes later in the dialog comes this way too.
    const out = `${head.replace(/^(Contact:.*127\.0\.0\.1:)\d+/im, `$1${this.port}`).replace(/^(Content-Length|l): *\d+/im, `$1: ${Buffer.byteLength(sdp)}`)}\r\n\r\n${sdp}`;
    if (!this.closed) this.sip.send(Buffer.from(out, 'latin1'), fromServer ? this.phonePort : this.serverPort, '127.0.0.1');
  }
  async through(command, sdp, fromServer) {
    const words = fromServer ? this.toPhone : this.toServer, { 'to-tag': to, ...call } = this.call;
    const { sdp: written } = await this.engine.say(command, {
      ...call, ...(to ? { 'to-tag': to } : {}), sdp: this.change(sdp, fromServer), replace: ['origin', 'session-connection'], ...words });
    this.sdps.push({ fromServer, in: sdp, out: written });
    return written;
  }
  // What the server was told, and what it said itself.
  get told() { return this.sdps.filter((s) => !s.fromServer).at(-1)?.out ?? ''; }
  get said() { return this.sdps.filter((s) => s.fromServer).at(-1)?.in ?? ''; }
  // rtpengine's figures of the call: packets, errors, by stream.
  async figures() { return this.engine.say('query', { 'call-id': this.call['call-id'] }); }
  // Its opinion of each stream that somebody reported about, 1 to 5 (it tells tenths).
  async opinions() { return Object.values((await this.figures()).SSRC ?? {}).flatMap((s) => s['average MOS']?.MOS ? [s['average MOS'].MOS / 10] : []); }
  // The stream that comes from the server.
  async fromServer() {
    const port = Number(this.told.match(/^m=audio (\d+)/m)[1]);
    return Object.values((await this.figures()).tags).flatMap((t) => t.medias).flatMap((m) => m.streams).find((s) => s['local port'] === port);
  }
  async close() {
    this.closed = true;
    await this.passing;
    this.sip.close();
    if (this.call) await this.engine.say('delete', { 'call-id': this.call['call-id'] }).catch(() => {});
  }
}

