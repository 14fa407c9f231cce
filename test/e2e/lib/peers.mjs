// Telephones that we did not write: sipp with a scenario, baresip as a softphone. Ended by their own process id.
import { spawn } from 'node:child_process';
import dgram from 'node:dgram';
import fs from 'node:fs';
import path from 'node:path';
import { root, freePorts, until } from './server.mjs';

export class Peer {
  constructor(program, args, options) {
    this.log = '';
    this.child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
    for (const s of [this.child.stdout, this.child.stderr]) s.on('data', (d) => { this.log += d; });
    this.exited = new Promise((r) => this.child.on('exit', (code) => { this.code = code; r(); }));
  }
  async stop() {
    if (this.code === undefined) this.child.kill('SIGTERM');
    const late = setTimeout(() => this.child.kill('SIGKILL'), 3000);
    await this.exited;
    clearTimeout(late);
  }
}

// G.711 (mu-law) of a tone, without a header: what sipp's rtp_stream plays.
function toneUlaw(file, freq) {
  const code = (x) => {
    const v = Math.min(Math.abs(x), 32635) + 132, e = Math.floor(Math.log2(v)) - 7;
    return ~((x < 0 ? 0x80 : 0) | (e << 4) | ((v >> (e + 3)) & 15)) & 255;
  };
  fs.writeFileSync(file, Buffer.from(Array.from({ length: 16000 }, (_, i) => code(Math.round(8192 * Math.sin((2 * Math.PI * freq * i) / 8000))))));
}

// sipp as the far end: the scenario (of test/data/sipp, or a whole path) answers, echoes RTP, and waits for BYE. With `freq` it can
// play "tone.ulaw". `transport`: u1 (UDP), t1 (TCP), as sipp has it.
export async function sipp(scenario, folder, options = {}) {
  const [port, media] = await freePorts(2);
  return startSipp(path.resolve(root, 'test/data/sipp', scenario), folder, port, media, ['-m', '1000'], options);
}

export async function startSipp(file, folder, port, media, more, { transport = 'u1', host = '127.0.0.1', freq } = {}) {
  if (freq) toneUlaw(path.join(folder, 'tone.ulaw'), freq);
  const log = path.join(folder, `sipp-${port}.log`);
  const peer = new Peer('sipp', ['-sf', file, '-t', transport, '-i', host, '-p', String(port), '-mi', host, '-mp', String(media & ~1), ...more,
    '-nostdin', ...(freq ? [] : ['-rtp_echo']), '-trace_msg', '-message_file', log, '-trace_stat', '-stf', `${log}.csv`], { cwd: folder });
  peer.port = port;
  peer.messages = () => (fs.existsSync(log) ? fs.readFileSync(log, 'utf8') : '');
  const listening = () => fs.readFileSync(`/proc/net/${transport === 't1' ? 'tcp' : 'udp'}${host.includes(':') ? '6' : ''}`, 'utf8').includes(`:${port.toString(16).toUpperCase().padStart(4, '0')} `);
  await until(() => {
    if (peer.code !== undefined) throw new Error(`sipp ended at its start, with ${peer.code}: ${peer.log.slice(-500)}`);
    return listening();
  }, 5000, 'sipp listens');
  return peer;
}

function toneWav(file, freq, rate, channels) {
  const n = rate * 20, size = n * 2 * channels, b = Buffer.alloc(44 + size);
  b.write('RIFF'); b.writeUInt32LE(36 + size, 4); b.write('WAVEfmt ', 8); b.writeUInt32LE(16, 16); b.writeUInt16LE(1, 20); b.writeUInt16LE(channels, 22);
  b.writeUInt32LE(rate, 24); b.writeUInt32LE(rate * 2 * channels, 28); b.writeUInt16LE(2 * channels, 32); b.writeUInt16LE(16, 34); b.write('data', 36); b.writeUInt32LE(size, 40);
  for (let i = 0; i < n * channels; i++) b.writeInt16LE(Math.round(8192 * Math.sin((2 * Math.PI * freq * Math.floor(i / channels)) / rate)), 44 + i * 2);
  fs.writeFileSync(file, b);
}

// baresip answers by itself, says a tone from a file, and its sndfile filter writes what it hears into another.
// It ends at once when somebody has taken one of its ports meanwhile: then others.
// `encryption`: baresip's mediaenc ("srtp", "srtp-mand", "dtls_srtp"), undefined = RTP in clear only. `ice`: it checks. `console`: peer.press("x") holds, "X" resumes. `mode`: how it answers.
// `wav`: what it says instead of the tone. `codecs` as its account says them ("G722/16000/1,opus/48000/2"), with the modules for them.
const plain = { codecs: 'PCMU,PCMA', modules: ['g711'], rate: 8000, channels: 1, ptime: 20, dtmf: 'rtpevent', mode: 'auto', host: '127.0.0.1' };
export async function baresip(folder, freq, options = {}, tries = 4) {
  return startBaresip(folder, freq, { ...plain, ...options }).catch((e) => {
    if (tries > 1 && /Address already in use/.test(e.message)) return baresip(folder, freq, options, tries - 1);
    throw e;
  });
}

async function startBaresip(folder, freq, o) {
  // SIP takes this port and the next one (TLS); RTP lies apart from both.
  const [port] = await freePorts(1), media = port + 10;
  const home = fs.mkdtempSync(path.join(folder, 'baresip-')), host = o.host.includes(':') ? `[${o.host}]` : o.host;
  if (o.wav) fs.copyFileSync(o.wav, path.join(home, 'tone.wav')); else toneWav(path.join(home, 'tone.wav'), freq, o.rate, o.channels);
  fs.writeFileSync(path.join(home, 'accounts'), `<sip:${o.account ?? `+12025550124@${host}`}>;regint=0;answermode=${o.mode};audio_codecs=${o.codecs};ptime=${o.ptime};dtmfmode=${o.dtmf}${o.encryption ? `;mediaenc=${o.encryption}` : ''}${o.ice ? ';medianat=ice' : ''}${o.proxy ? `;outbound="sip:${o.proxy}"` : ''}\n`);
  fs.writeFileSync(path.join(home, 'config'), `poll_method epoll
sip_listen ${host}:${port}
net_interface ${o.host}
call_max_calls 4
audio_source aufile,${home}/tone.wav
audio_player aubridge,nobody
snd_path ${home}
audio_channels 1-2
rtp_ports ${media & ~1}-${(media & ~1) + 20}
module_path /usr/lib/baresip/modules
${o.modules.map((m) => `module ${m}.so`).join('\n')}
module aufile.so
module aubridge.so
module sndfile.so
${o.ice ? 'module ice.so' : ''}
${o.encryption ? `module ${o.encryption.startsWith('dtls') ? 'dtls_srtp' : 'srtp'}.so` : ''}
module_tmp account.so
module_app menu.so
${o.extra ?? ''}
`);
  const [console] = o.console ? await freePorts(1) : [];
  if (console) fs.appendFileSync(path.join(home, 'config'), `module_app cons.so\ncons_listen 127.0.0.1:${console}\n`);
  const peer = new Peer('baresip', ['-f', home, '-v', ...(o.args ?? [])], { cwd: home });
  peer.port = port;
  peer.home = home;
  peer.press = (key) => new Promise((resolve) => {
    const s = dgram.createSocket('udp4');
    s.send(key, console, '127.0.0.1', () => s.close(resolve));
  });
  peer.heard = () => {
    const file = fs.readdirSync(home).filter((f) => f.endsWith('-dec.wav')).map((f) => path.join(home, f))[0];
    const b = file ? fs.readFileSync(file) : Buffer.alloc(44);
    peer.rate = b.readUInt32LE(24) || o.rate;
    const step = 2 * (b.readUInt16LE(22) || 1); // the first channel
    return Float32Array.from({ length: Math.max(0, Math.floor((b.length - 44) / step)) }, (_, i) => b.readInt16LE(44 + i * step) / 32768);
  };
  await until(() => {
    if (peer.code !== undefined) throw new Error('baresip ended at start');
    return /baresip is ready|ready\./.test(peer.log);
  }, 5000, 'baresip is ready').catch(async (e) => { await peer.stop(); throw new Error(`${e.message}\n${peer.log}`); });
  return peer;
}

// What every kamailio here begins with.
export const kamailioModules = `mpath="/usr/lib/x86_64-linux-gnu/kamailio/modules/"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "xlog.so"
`;

// kamailio with kamailio.cfg of `home`; ends when that does.
export function runKamailio(home) {
  return new Peer('kamailio', ['-f', path.join(home, 'kamailio.cfg'), '-DD', '-E', '-m', '32', '-M', '4', '-w', home, '-Y', home, '-P', path.join(home, 'pid')], { cwd: home });
}

// Whether the kernel has a socket there: of `kind` udp, or one that listens, of tcp.
export function isBound(kind, port) {
  const state = kind === 'tcp' ? '00000000:0000 0A' : '';
  return fs.readFileSync(`/proc/net/${kind}`, 'utf8').includes(`:${port.toString(16).toUpperCase().padStart(4, '0')} ${state}`);
}

// kamailio as a carrier whose customers register: digest (401), its own ideas of how long (423, at most 4 s), a Service-Route, and
// calls only from the account that stands in From. What it lets through goes to a phone at `phone`.
export async function kamailio(folder, phone, { user = '2345678e0', password = 'geheim', minExpires = 60, cert, key } = {}) {
  const [port, tlsPort] = await freePorts(2), home = fs.mkdtempSync(path.join(folder, 'kamailio-'));
  const conf = path.join(home, 'kamailio.cfg');
  fs.writeFileSync(conf, `debug=2
log_stderror=yes
children=1
listen=udp:127.0.0.1:${port}
listen=tcp:127.0.0.1:${port}
tcp_children=1
${cert ? `enable_tls=yes
listen=tls:127.0.0.1:${tlsPort}` : ''}
auto_aliases=no
server_header="Server: kamailio"
${kamailioModules}loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "auth.so"
${cert ? `loadmodule "tls.so"
modparam("tls", "certificate", "${cert}")
modparam("tls", "private_key", "${key}")
modparam("tls", "tls_method", "TLSv1.2+")` : ''}
modparam("usrloc", "db_mode", 0)
modparam("registrar", "max_expires", 4)
modparam("registrar", "append_branches", 0)
request_route {
  if (has_totag()) { loose_route(); t_relay(); exit; }
  if (is_method("OPTIONS")) { sl_send_reply("200", "OK"); exit; }
  if (is_method("REGISTER|INVITE") && !pv_www_authenticate("sipgate.test", "${password}", "0")) {
    xlog("L_NOTICE", "TEST challenged $rm of $fU (\$hdr(Authorization))\\n");
    www_challenge("sipgate.test", "1");
    exit;
  }
  if (is_method("REGISTER")) {
    if ($hdr(Expires) != "0" && $(hdr(Expires){s.int}) < ${minExpires}) {
      append_to_reply("Min-Expires: ${minExpires}\\r\\n");
      sl_send_reply("423", "Interval Too Brief");
      exit;
    }
    append_to_reply("Service-Route: <sip:127.0.0.1:${port};lr>\\r\\n");
    save("location");
    xlog("L_NOTICE", "TEST registered $fU for $hdr(Expires)\\n");
    exit;
  }
  if (is_method("INVITE")) {
    xlog("L_NOTICE", "TEST invite from $fU@$fd route=$hdr(Route) contact=$ct\\n");
    if ($fU != "${user}") { sl_send_reply("403", "From is not the account"); exit; }
    loose_route();
    record_route();
    remove_hf("Authorization");
    $du = "sip:127.0.0.1:${phone}";
  }
  t_relay();
}
`);
  const peer = runKamailio(home);
  peer.port = port;
  peer.tlsPort = tlsPort;
  await until(() => {
    if (peer.code !== undefined) throw new Error(`kamailio ended at start:\n${peer.log}`);
    return isBound('udp', port);
  }, 8000, 'kamailio listens');
  return peer;
}

// linphone answers by itself with SRTP of this suite or none, says a tone from a file and records what it hears into another.
// peer.say("pause"), "resume", "transfer sip:...", "terminate". `transport`: udp or tcp. `answer`: false, and it waits for say("answer").
// `early`: it describes its sound in 183.
export async function linphone(folder, freq, suite, { transport = 'udp', answer = true, early = false } = {}) {
  const [port, media] = await freePorts(2), home = fs.mkdtempSync(path.join(folder, 'linphone-'));
  fs.mkdirSync(path.join(home, '.local/share/linphone'), { recursive: true });
  toneWav(path.join(home, 'tone.wav'), freq, 8000, 1);
  fs.writeFileSync(path.join(home, 'rc'), `[sip]
sip_port=${transport === 'udp' ? port : 0}
sip_tcp_port=${transport === 'tcp' ? port : 0}
sip_tls_port=0
use_ipv6=0
contact=sip:+12025550124@127.0.0.1:${port}
${early ? 'incoming_calls_early_media=1\n' : ''}${suite ? `media_encryption=srtp\nmedia_encryption_mandatory=1\nsrtp_crypto_suites=${suite}` : 'media_encryption=none'}
[rtp]
audio_rtp_port=${media & ~1}
[net]
mtu=1300
`);
  const peer = new Peer('linphonec', ['-c', path.join(home, 'rc'), '-d', '1'], { cwd: home, env: { ...process.env, HOME: home }, stdio: ['pipe', 'pipe', 'pipe'] });
  peer.port = port;
  peer.say = (line) => peer.child.stdin.write(`${line}\n`);
  peer.heard = () => {
    const file = path.join(home, 'heard.wav'), b = fs.existsSync(file) ? fs.readFileSync(file) : Buffer.alloc(44);
    peer.rate = b.readUInt32LE(24) || 8000;
    return Float32Array.from({ length: Math.max(0, (b.length - 44) >> 1) }, (_, i) => b.readInt16LE(44 + i * 2) / 32768);
  };
  for (const line of ['soundcard use files', `play ${home}/tone.wav`, `record ${home}/heard.wav`, `autoanswer ${answer ? 'enable' : 'disable'}`]) peer.say(line);
  await until(() => /Auto answer (en|dis)abled/.test(peer.log), 8000, 'linphone is ready').catch(async (e) => { await peer.stop(); throw new Error(`${e.message}\n${peer.log}`); });
  return peer;
}
