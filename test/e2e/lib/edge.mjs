// A carrier's edge: kamailio with TLS in front of a phone, named in its Record-Route by an IP address, as Twilio's is;
// and certificates of an authority that the test makes.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { freePorts, until } from './server.mjs';
import { isBound, kamailioModules, runKamailio } from './peers.mjs';

const openssl = (...args) => execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'pipe'] });

export function makeAuthority(folder, name = 'Test Authority') {
  const ca = path.join(folder, 'ca.pem'), key = path.join(folder, 'ca.key');
  openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', `/CN=${name}`, '-keyout', key, '-out', ca);
  return { ca, key };
}

// `names` as OpenSSL writes them: "DNS:*.pstn.test". Without an authority it signs itself. It is valid `from` so many days from now (or
// before), for `days`; `authority`: it may sign others.
export function makeCertificate(folder, authority, name, names, o = {}) {
  const [key, request, cert, ext] = ['key', 'req', 'pem', 'ext'].map((x) => path.join(folder, `${name}.${x}`));
  fs.writeFileSync(ext, `subjectAltName=${names}\nextendedKeyUsage=serverAuth,clientAuth\n${o.authority ? 'basicConstraints=critical,CA:TRUE\n' : ''}`);
  openssl('req', '-newkey', 'rsa:2048', '-nodes', '-subj', `/CN=${name}`, '-keyout', key, '-out', request);
  if (o.from !== undefined) {
    const time = (days) => new Date(Date.now() + days * 86400000).toISOString().replace(/\.\d+|[-:T]/g, '');
    fs.writeFileSync(path.join(folder, `${name}.db`), '');
    const config = `[ca]\ndefault_ca=d\n[d]\ndatabase=${path.join(folder, `${name}.db`)}\nnew_certs_dir=${folder}\nrand_serial=yes\ndefault_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n`;
    fs.writeFileSync(path.join(folder, `${name}.cnf`), config);
    openssl('ca', '-batch', '-config', path.join(folder, `${name}.cnf`), '-in', request, '-cert', authority.ca, '-keyfile', authority.key, '-startdate', time(o.from), '-enddate', time(o.from + o.days), '-extfile', ext, '-out', cert);
    return { cert, key };
  }
  const signer = authority ? ['-CA', authority.ca, '-CAkey', authority.key, '-CAcreateserial'] : ['-signkey', key];
  openssl('x509', '-req', '-in', request, ...signer, '-days', String(o.days ?? 2), '-extfile', ext, '-out', cert);
  return { cert, key };
}

const config = (o) => `debug=2
log_stderror=yes
children=1
tcp_children=1
auto_aliases=no
enable_tls=yes
tcp_accept_no_cl=no
listen=tls:127.0.0.1:${o.tlsPort}
listen=tcp:127.0.0.1:${o.port}
listen=udp:127.0.0.1:${o.port}
${kamailioModules}loadmodule "tls.so"
modparam("tls", "config", "${o.home}/tls.cfg")
modparam("rr", "enable_double_rr", 1)
request_route {
  xlog("L_NOTICE", "TEST $rm $proto conid=$conid ruri=$ru route=$hdr(Route) sni=$tls_peer_server_name\\n");
  if (has_totag()) {
    if (!loose_route() && !is_method("ACK")) { sl_send_reply("404", "No route"); exit; }
    t_relay();
    exit;
  }
  if (is_method("CANCEL")) { t_relay(); exit; }
  if (is_method("OPTIONS")) { sl_send_reply("200", "OK"); exit; }
  loose_route();
  record_route();
  $du = "sip:127.0.0.1:${o.phone}";
  t_relay();
}
`;

// options: phone (its UDP port), cert {cert, key}, ask (of whom calls a certificate, true), authority, ports
export async function edge(folder, options) {
  const [port, tlsPort] = options.ports ?? (await freePorts(2)), home = fs.mkdtempSync(path.join(folder, 'edge-'));
  fs.writeFileSync(path.join(home, 'tls.cfg'), `[server:default]
method = TLSv1.2+
certificate = ${options.cert.cert}
private_key = ${options.cert.key}
verify_certificate = ${options.ask ? 'yes' : 'no'}
require_certificate = ${options.ask ? 'yes' : 'no'}
${options.ask ? `ca_list = ${options.authority.ca}` : ''}
`);
  fs.writeFileSync(path.join(home, 'kamailio.cfg'), config({ port, tlsPort, home, phone: options.phone }));
  const peer = runKamailio(home);
  Object.assign(peer, { port, tlsPort, options: { ...options, ports: [port, tlsPort] } });
  peer.seen = (method) => [...peer.log.matchAll(/TEST (\w+) (\w+) conid=(\S+) ruri=(\S+) route=(.*?) sni=(.*)/g)]
    .map(([, m, protocol, connection, uri, route]) => ({ method: m, protocol, connection, uri, route })).filter((r) => r.method === method);
  await until(() => {
    if (peer.code !== undefined) throw new Error('kamailio ended at start');
    return isBound('tcp', port) && isBound('tcp', tlsPort);
  }, 8000, 'kamailio listens').catch(async (e) => { await peer.stop(); throw new Error(`${e.message}\n${peer.log}`); });
  return peer;
}
