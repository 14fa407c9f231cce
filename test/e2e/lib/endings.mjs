// The table of docs/endings.md, and a sipp scenario in which each called number ends in its own way.
import fs from 'node:fs';
import path from 'node:path';
import { root } from './server.mjs';
import { sipp } from './peers.mjs';

// Rows of the table under a heading: [sign, code, sentence, ended by, again, ...].
export function rowsUnder(heading) {
  const text = fs.readFileSync(path.join(root, 'docs/endings.md'), 'utf8');
  const section = text.split(`\n## ${heading}\n`)[1].split('\n## ')[0];
  const rows = section.split('\n').filter((line) => line.startsWith('| ')).slice(1);
  return rows.map((line) => line.slice(2, -2).split(' | ').map((cell) => cell.replace(/^`|`$/g, '').trim()));
}

// What a documented sentence looks like once its blanks are filled; a blank that is not known goes with the one before it.
export function sentencePattern(sentence) {
  const quoted = sentence.replace(/[.*+?^$()|[\]\\]/g, '\\$&');
  // What the carrier says besides is quoted behind it.
  return new RegExp(`^${quoted.replace(/ \{\w+\}/g, '( .*)?').replace(/\{\w+\}/g, '.*')}( They say: ".*"\\.)*$`);
}

const head = (status, tag) => `SIP/2.0 ${status}
Via:[$via]
[last_From:]
[last_To:];tag=${tag}[call_number]
[last_Call-ID:]
`;
const sdp = `Contact: <sip:[local_ip]:[local_port];transport=[transport]>
Content-Type: application/sdp
Content-Length: [len]

v=0
o=u 1 1 IN IP[local_ip_type] [local_ip]
s=-
c=IN IP[media_ip_type] [media_ip]
t=0 0
m=audio [media_port] RTP/AVP 0
a=rtpmap:0 PCMU/8000
`;

function refusal({ status, headers = [], body = '' }) {
  const text = `${head(status, 'e')}[last_CSeq:]\n${headers.map((h) => `${h}\n`).join('')}${body ? 'Content-Type: text/plain\n' : ''}Content-Length: [len]\n\n${body}`;
  return `  <send><![CDATA[\n${text}\n]]></send>\n  <recv request="ACK" next="end"/>\n`;
}

// Answers (so often, as if it saw no ACK), and hangs up by itself.
function hangup({ headers = [], answers = 1 }) {
  const answer = `  <send><![CDATA[\n${head('200 OK', 'e')}CSeq: 1 INVITE\n${sdp}\n]]></send>
  <recv request="ACK"/>
`;
  return `${answer.repeat(answers)}  <send retrans="500"><![CDATA[
BYE sip:us@127.0.0.1 SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:far@[local_ip]>;tag=e[call_number]
To:[$from]
[last_Call-ID:]
CSeq: 1 BYE
Max-Forwards: 70
${headers.map((h) => `${h}\n`).join('')}Content-Length: 0

]]></send>
  <recv response="200" next="end"/>
`;
}

// Answers, and sends no sound: its SDP names a port where nobody hears or speaks.
function quiet() {
  return `  <send><![CDATA[\n${head('200 OK', 'e')}CSeq: 1 INVITE\n${sdp.replace('[media_port]', '9')}\n]]></send>
  <recv request="ACK"/>
  <recv request="BYE"/>
  <send next="end"><![CDATA[\nSIP/2.0 200 OK\n[last_Via:]\n[last_From:]\n[last_To:]\n[last_Call-ID:]\n[last_CSeq:]\nContent-Length: 0\n\n]]></send>
`;
}

const body = { refusal, hangup, quiet };
export const numberOf = (i) => `+1202556${String(i).padStart(4, '0')}`;

// `cases`: {i, status, headers, body} is a refusal, {i, kind: 'hangup', headers, answers} an answer and a BYE, {i, kind:
// 'quiet'} an answer without sound; for numberOf(i). sipp reads
// files of at most 64 KiB: some 100 cases.
export function startEndings(cases, folder) {
  const eregs = cases.map(({ i }) => `    <ereg regexp="^INVITE sip:\\${numberOf(i)}" search_in="msg" check_it="false" assign_to="v${i}"/>`);
  const jumps = cases.map(({ i }) => `  <nop next="L${i}" test="v${i}"/>`);
  const ends = cases.map((c) => `  <label id="L${c.i}"/>\n${body[c.kind ?? 'refusal'](c)}`);
  const file = path.join(folder, `endings-${cases[0].i}.xml`);
  fs.writeFileSync(file, `<?xml version="1.0" encoding="UTF-8" ?>
<scenario name="endings">
  <recv request="INVITE"><action>
    <ereg regexp=".*" search_in="hdr" header="Via:" assign_to="via"/>
    <ereg regexp=".*" search_in="hdr" header="From:" assign_to="from"/>
${eregs.join('\n')}
  </action></recv>
${jumps.join('\n')}
${ends.join('')}  <label id="end"/>
  <nop/>
  <Reference variables="via,from"/>
</scenario>
`);
  return sipp(file, folder);
}
