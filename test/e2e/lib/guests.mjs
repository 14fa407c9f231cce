// livekit-client in Chromium and rtc-node, driven by the adapters of the recorded suite, with more of Chromium's insides.
import { stopChromium } from '../../conformance/clients/lib/hosts.mjs';
import { World } from '../../conformance/clients/lib/world.mjs';
import { KEY, SECRET } from './server.mjs';

export { stopChromium };

// One room and its people. `t.join(identity, { as: 'js' | 'js-v0' | 'node', alone: true })`: see world.mjs.
export const openRoom = (server) => new World({ url: server.ws, key: KEY, secret: SECRET, patience: 30000 }, 'e2e', 'js');

export const pageOf = async (t, identity) => (await t.host('js', identity)).page;

// From now on this page's connections do not know RED.
export const forgetRed = (page) => page.evaluate(() => {
  const without = (d) => ({ type: d.type, sdp: d.sdp.replace(/^a=(rtpmap|fmtp|rtcp-fb):63 .*\r\n/gm, '').replace(/^(m=audio .*) 63\b/gm, '$1') });
  const real = RTCPeerConnection.prototype;
  for (const name of ['createOffer', 'createAnswer']) {
    const make = real[name];
    real[name] = async function (...a) { return without(await make.apply(this, a)); };
  }
});

// From now on this page reaches the server's media at another port.
export const reachBy = (page, port, link) => page.evaluate(([from, to]) => {
  const real = RTCPeerConnection.prototype, set = real.setRemoteDescription;
  real.setRemoteDescription = function (d) {
    return set.call(this, { type: d.type, sdp: d.sdp.replace(new RegExp(` ${from} typ host`, 'g'), ` ${to} typ host`) });
  };
}, [port, link]);

// RTP statistics of somebody's page: what is sent (`outbound-rtp`) or received (`inbound-rtp`), with the codec's type.
export const rtpStats = (page, id, type) => page.evaluate(async ([who, kind]) => {
  const m = window.agent.people.get(who).room.engine.pcManager, found = [];
  for (const pc of [m.publisher, m.subscriber].filter(Boolean)) {
    const stats = await pc.getStats();
    if (!stats) continue;
    const all = new Map([...stats].map(([, s]) => [s.id, s]));
    for (const s of all.values()) if (s.type === kind) found.push({ ...s, mime: all.get(s.codecId)?.mimeType, fmtp: all.get(s.codecId)?.sdpFmtpLine });
  }
  return found;
}, [id, type]);

