// Somebody between the server and a far end, who reads all: a relay of SIP over UDP, and of the RTP that its SDP names.
// What passes of RTP is kept; an SDP may be changed on its way.
import dgram from 'node:dgram';
import { analyse } from '../../conformance/clients/lib/tone.mjs';
import { freePorts } from './server.mjs';

export const isRtp = (p) => p[0] >> 6 === 2 && !(p[1] >= 192 && p[1] <= 223);
const ulaw = (b) => {
  const u = ~b & 0xff, x = (((u & 15) << 3) + 0x84) << ((u >> 4) & 7);
  return (u & 0x80 ? 0x84 - x : x - 0x84) / 32768;
};
// What a listener who takes the last packets for G.711 (mu-law) hears.
export const overheard = (packets, count = 100) => analyse(Float32Array.from(Buffer.concat(packets.filter(isRtp).slice(-count).map((p) => p.subarray(12, 172))), ulaw), 8000);

const bind = (port) => new Promise((resolve, reject) => {
  const s = dgram.createSocket('udp4').on('error', reject);
  s.bind(port, '127.0.0.1', () => resolve(s));
});

export class Tap {
  // change(sdp, fromServer): what is passed on instead.
  static async open(farPort, change = (sdp) => sdp) {
    const t = Object.assign(new Tap(), { farPort, change, toFar: [], toServer: [], messages: [] });
    const [port, a, b] = await freePorts(3);
    t.port = port;
    // `near` is what the server takes for the phone, `far` what the phone takes for the server.
    [t.sip, t.near, t.far] = await Promise.all([bind(port), bind(a), bind(b)]);
    t.sip.on('message', (m, from) => t.onSip(m.toString('latin1'), from.port));
    t.near.on('message', (p) => { t.toFar.push(p); if (t.farRtp) t.far.send(p, t.farRtp, '127.0.0.1'); });
    t.far.on('message', (p) => { t.toServer.push(p); if (t.serverRtp) t.near.send(p, t.serverRtp, '127.0.0.1'); });
    return t;
  }
  onSip(text, from) {
    const fromServer = from !== this.farPort;
    if (fromServer) this.serverPort = from;
    this.messages.push({ fromServer, text });
    const [head, body] = text.split('\r\n\r\n');
    let out = text;
    if (/^m=audio/m.test(body ?? '')) {
      const rtp = Number(body.match(/^m=audio (\d+)/m)[1]);
      if (rtp) this[fromServer ? 'serverRtp' : 'farRtp'] = rtp;
      const port = (fromServer ? this.far : this.near).address().port;
      const sdp = this.change(body.replace(/^m=audio \d+/m, rtp ? `m=audio ${port}` : 'm=audio 0'), fromServer);
      out = `${head.replace(/^(Content-Length|l): *\d+/im, `$1: ${sdp.length}`)}\r\n\r\n${sdp}`;
    }
    this.sip.send(Buffer.from(out, 'latin1'), fromServer ? this.farPort : this.serverPort, '127.0.0.1');
  }
  close() { for (const s of [this.sip, this.near, this.far]) s.close(); }
}
