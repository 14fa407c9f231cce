// A name server of the test's own on the loopback (RFC 1035, section 4): `records` is a list of [name, type, data],
// data as a zone file has it. `asked` says what was asked for.
import dgram from 'node:dgram';

const TYPES = { A: 1, AAAA: 28, SRV: 33, NAPTR: 35 };
const label = (text) => Buffer.concat([Buffer.from([text.length]), Buffer.from(text)]);
const nameBytes = (name) => Buffer.concat([...name.split('.').filter(Boolean).map(label), Buffer.from([0])]);
const u16 = (...numbers) => Buffer.concat(numbers.map((n) => Buffer.from([n >> 8, n & 255])));

function dataBytes(type, data) {
  const f = data.split(' ');
  if (type === 'A') return Buffer.from(data.split('.').map(Number));
  if (type === 'AAAA') return Buffer.concat([Buffer.alloc(15), Buffer.from([Number(data.slice(2))])]); // ::N is all that is needed
  if (type === 'SRV') return Buffer.concat([u16(...f.slice(0, 3).map(Number)), nameBytes(f[3])]);
  return Buffer.concat([u16(Number(f[0]), Number(f[1])), label(f[2]), label(f[3]), label(''), nameBytes(f[4])]);
}

function answer(question, records, asked) {
  let at = 12;
  const labels = [];
  while (question[at]) { labels.push(question.subarray(at + 1, at + 1 + question[at]).toString()); at += question[at] + 1; }
  const name = labels.join('.').toLowerCase(), type = Object.keys(TYPES).find((t) => TYPES[t] === question.readUInt16BE(at + 1));
  asked.push(`${type} ${name}`);
  const known = records.filter((r) => r[0] === name), found = known.filter((r) => r[1] === type);
  const head = Buffer.concat([question.subarray(0, 2), u16(0x8180 | (known.length ? 0 : 3), 1, found.length, 0, 0)]);
  const body = found.map(([, t, data]) => { const d = dataBytes(t, data); return Buffer.concat([u16(0xc00c, TYPES[t], 1, 0, 60, d.length), d]); });
  return Buffer.concat([head, question.subarray(12, at + 5), ...body]);
}

export async function nameServer(records) {
  const socket = dgram.createSocket('udp4'), asked = [];
  socket.on('message', (m, from) => socket.send(answer(m, records, asked), from.port, from.address));
  await new Promise((r) => socket.bind(0, '127.0.0.1', r));
  return { address: `127.0.0.1:${socket.address().port}`, records, asked, stop: () => new Promise((r) => socket.close(r)) };
}
