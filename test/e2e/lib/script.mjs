// A far end that sipp plays from a script written here: each step is a message that it expects or sends. sipp ends with 0 when
// all of it came to pass. The caller's INVITE is remembered, so that it can be answered after other messages came between.
import fs from 'node:fs';
import path from 'node:path';
import { freePorts } from './server.mjs';
import { startSipp } from './peers.mjs';

const seen = (what) => (what ? `<action>${[].concat(what).map((x) => `<ereg regexp="${x}" search_in="msg" check_it="true" assign_to="seen"/>`).join('')}</action>` : '');
const body = (text, type = 'application/sdp') => (text ? `Content-Type: ${type}\nContent-Length: [len]\n\n${text}` : 'Content-Length: 0\n\n');
const raw = (lines, options = '') => `<send${options}><![CDATA[\n\n${lines}\n]]></send>`;

export const sdp = ({ way = 'sendrecv', connection = '127.0.0.1', pt = '0 101', version = 1, port = '[media_port]' } = {}) => `v=0
o=far 7001 ${version} IN IP4 127.0.0.1
s=-
c=IN IP4 ${connection}
t=0 0
m=audio ${port} RTP/AVP ${pt}
a=rtpmap:101 telephone-event/8000
a=${way}
`;

// What it waits for. `check`: regular expressions that must be in the message.
export const expect = {
  invite: (check) => `<recv request="INVITE" timeout="8000"><action>
${[['via', 'Via:'], ['from', 'From:'], ['to', 'To:'], ['cseq', 'CSeq:']].map(([v, h]) => `<ereg regexp=".*" search_in="hdr" header="${h}" assign_to="${v}"/>`).join('\n')}
<ereg regexp="sip:[^&gt;]*" search_in="hdr" header="Contact:" assign_to="contact"/>
${check ? seen(check).replace(/<\/?action>/g, '') : ''}</action></recv>`,
  request: (method, check) => `<recv request="${method}" timeout="8000">${seen(check)}</recv>`,
  response: (status, check) => `<recv response="${status}" timeout="8000">${seen(check)}</recv>`,
};
// To the INVITE, whatever came since.
export const answer = (status, { tag = 'far', headers = '', sdp: text } = {}) => raw(`SIP/2.0 ${status} Answer
Via:[$via]
From:[$from]
To:[$to];tag=${tag}
Call-ID: [call_id]
CSeq:[$cseq]
Contact: <sip:${tag}@127.0.0.1:[local_port]>
${headers ? `${headers}\n` : ''}${body(text)}`);
// To what came last.
export const reply = (status, { headers = '', sdp: text } = {}) => raw(`SIP/2.0 ${status} Reply
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:far@127.0.0.1:[local_port]>
${headers ? `${headers}\n` : ''}${body(text)}`);
// A request of its own, within the dialog.
export const request = (method, cseq, { tag = 'far', headers = '', sdp: text, type } = {}) => raw(`${method} [$contact] SIP/2.0
Via: SIP/2.0/UDP 127.0.0.1:[local_port];branch=[branch]
From:[$to];tag=${tag}
To:[$from]
Call-ID: [call_id]
CSeq: ${cseq} ${method}
Max-Forwards: 70
Contact: <sip:${tag}@127.0.0.1:[local_port]>
${headers ? `${headers}\n` : ''}${body(text, type)}`);
// What became of a REFER: `frag` is a status line, or "".
export const notify = (cseq, state, frag, event = 'refer') => request('NOTIFY', cseq, {
  headers: `Event: ${event}\nSubscription-State: ${state}`, sdp: frag && `${frag}\n`, type: 'message/sipfrag;version=2.0' });
export const pause = (ms) => `<pause milliseconds="${ms}"/>`;

export async function play(name, steps, folder) {
  const [port, media] = await freePorts(2), file = path.join(folder, `${name}.xml`);
  const kept = ['seen', 'via', 'from', 'to', 'cseq', 'contact'].filter((v) => steps.some((s) => s.includes(`assign_to="${v}"`)));
  fs.writeFileSync(file, `<?xml version="1.0" encoding="UTF-8" ?>
<scenario name="${name}">
${steps.join('\n')}
<Reference variables="${kept}"/>
</scenario>
`);
  return startSipp(file, folder, port, media, ['-m', '1', '-timeout', '40', '-timeout_error', '-trace_err', '-error_file', `${file}.err`]);
}
