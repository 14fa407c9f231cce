// A UDP link to the server that loses packets of sound as it is told, each way; checks, DTLS and RTCP pass, unless it is dead.
import dgram from 'node:dgram';

const isRtp = (p) => p[0] >= 128 && p[0] < 192 && !(p[1] >= 192 && p[1] <= 223);

export class LossyLink {
  // loses(n), losesBack(n): is the n-th packet of sound on its way to the server, or back, lost?
  static async open(port, loses, losesBack = () => false) {
    const l = Object.assign(new LossyLink(), { loses, losesBack, dead: false, sound: 0, lost: 0, soundBack: 0, lostBack: 0, back: new Map() });
    l.front = dgram.createSocket('udp4').on('message', (packet, from) => l.forward(packet, from, port));
    await new Promise((r) => l.front.bind(0, '127.0.0.1', r));
    return l;
  }
  get port() { return this.front.address().port; }
  forward(packet, from, port) {
    if (this.dead) return;
    if (isRtp(packet) && this.loses(this.sound++)) { this.lost++; return; }
    let socket = this.back.get(from.port);
    if (!socket) {
      socket = dgram.createSocket('udp4').on('message', (answer) => this.answer(answer, from));
      this.back.set(from.port, socket);
    }
    socket.send(packet, port, '127.0.0.1');
  }
  answer(packet, to) {
    if (this.dead) return;
    if (isRtp(packet) && this.losesBack(this.soundBack++)) { this.lostBack++; return; }
    this.front.send(packet, to.port, to.address);
  }
  close() { for (const s of [this.front, ...this.back.values()]) s.close(); }
}
