// A telephone line that loses and delays packets, between the server and a phone: SIP over UDP goes through it and the ports in the SDP become
// its own, so RTP both ways does too. Delays are drawn anew for each packet, so packets overtake each other, as on a network.
import dgram from 'node:dgram';

const bind = (port = 0) => new Promise((resolve, reject) => {
  const s = dgram.createSocket('udp4').once('error', reject);
  s.bind(port, '127.0.0.1', () => resolve(s));
});
// Two ports side by side, of five digits as all that they replace: RTP and RTCP. The text keeps its length.
async function pair() {
  for (let tries = 0; tries < 50; tries++) {
    const rtp = await bind();
    const port = rtp.address().port;
    const rtcp = port % 2 === 0 && port >= 10000 ? await bind(port + 1).catch(() => null) : null;
    if (rtcp) return [rtp, rtcp];
    rtp.close();
  }
  throw new Error('no two ports side by side');
}
// Numbers by chance that are the same in each run.
const dice = (seed) => () => (seed = (seed * 1103515245 + 12345) & 0x7fffffff) / 0x7fffffff;

// As a phone says it that knows no telephone-event.
function withoutEvents(message) {
  const at = message.indexOf('\r\n\r\n') + 4, head = message.slice(0, at);
  let body = message.slice(at);
  for (const [, pt] of body.matchAll(/^a=rtpmap:(\d+) telephone-event.*$/gm)) {
    body = body.replace(new RegExp(`^a=(rtpmap|fmtp):${pt} .*\r\n`, 'gm'), '').replace(new RegExp(`^(m=audio .*?) ${pt}(?= |\r)`, 'm'), '$1');
  }
  return [head.replace(/^(Content-Length|l): *\d+/im, `$1: ${body.length}`), body];
}

export class RoughLine {
  // `noEvents`: nobody hears of telephone-event.
  // Of each hundred packets one way `loss` are lost, by chance but as many; delays lie between 0 and `jitterMs`, evenly.
  static async open(phonePort, { loss = 0, jitterMs = 0, seed = 7, noEvents = false } = {}) {
    const l = Object.assign(new RoughLine(), { phonePort, loss, jitterMs, noEvents, random: dice(seed), packets: 0, lost: 0, ways: [{}, {}], sockets: [], timers: new Set() });
    l.sip = await bind();
    l.toPhone = await bind();
    l.near = await pair(); // the server speaks to these
    l.far = await pair(); // the phone speaks to these
    l.sockets.push(l.sip, l.toPhone, ...l.near, ...l.far);
    l.sip.on('message', (m, from) => { l.server = from; l.toPhone.send(l.rewrite(m, l.far[0], 'serverMedia'), phonePort, '127.0.0.1'); });
    l.toPhone.on('message', (m) => l.sip.send(l.rewrite(m, l.near[0], 'phoneMedia'), l.server.port, l.server.address));
    for (const rtcp of [0, 1]) {
      l.near[rtcp].on('message', (m) => l.pass(m, rtcp, l.far[rtcp], l.phoneMedia, l.ways[0]));
      l.far[rtcp].on('message', (m) => l.pass(m, rtcp, l.near[rtcp], l.serverMedia, l.ways[1]));
    }
    return l;
  }
  get port() { return this.sip.address().port; }
  rewrite(message, ours, name) {
    const text = message.toString('latin1');
    const [head, body] = this.noEvents ? withoutEvents(text) : [text, ''];
    return Buffer.from((head + body).replace(/^m=audio (\d{5}) /m, (_, port) => { this[name] = Number(port); return `m=audio ${ours.address().port} `; }), 'latin1');
  }
  // One of every so many, anywhere among them.
  loses(way) {
    if (!this.loss) return false;
    const block = Math.round(1 / this.loss), at = (way.count = (way.count ?? -1) + 1) % block;
    if (at === 0) way.victim = Math.floor(this.random() * block);
    return at === way.victim;
  }
  pass(packet, rtcp, from, port, way) {
    if (!port) return;
    const send = () => { if (!this.closed) from.send(packet, port + rtcp, '127.0.0.1'); };
    if (rtcp) { send(); return; }
    this.packets++;
    if (this.loses(way)) { this.lost++; return; }
    const timer = setTimeout(() => { this.timers.delete(timer); send(); }, this.random() * this.jitterMs);
    this.timers.add(timer);
  }
  close() {
    this.closed = true;
    for (const t of this.timers) clearTimeout(t);
    for (const s of this.sockets) s.close();
  }
}
