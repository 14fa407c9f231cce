// A room without a server: the WebSocket of the page is answered here, its media by a second page
// of the same browser. Just enough of the protocol (two peer connections, path /rtc) to join, to
// hear a phone, and to see digits and mutes arrive.
import {
  DataPacket,
  ParticipantInfo_Kind,
  ParticipantInfo_State,
  SignalRequest,
  SignalResponse,
  TrackSource,
  TrackType,
} from '@livekit/protocol';

/** Runs inside the second page. `publisher` is offered by the page under test, `subscriber` by us. */
function mediaSide() {
  let publisher, subscriber, early;
  const gathered = (pc) =>
    new Promise((done) => {
      const look = () => pc.iceGatheringState === 'complete' && done();
      pc.addEventListener('icegatheringstatechange', look);
      look();
    });
  const drain = async (pc, which) => {
    for (const candidate of early[which].splice(0)) await pc.addIceCandidate(candidate);
  };
  const reset = () => {
    publisher?.close();
    subscriber?.close();
    publisher = subscriber = undefined;
    early = [[], []];
  };
  reset();

  const hear = ({ channel }) => {
    channel.binaryType = 'arraybuffer';
    channel.onmessage = ({ data }) => window.packet([...new Uint8Array(data)]);
  };
  const answer = async (sdp) => {
    if (!publisher) {
      publisher = new RTCPeerConnection();
      publisher.ondatachannel = hear;
    }
    await publisher.setRemoteDescription({ type: 'offer', sdp });
    await publisher.setLocalDescription();
    await drain(publisher, 0);
    await gathered(publisher);
    return publisher.localDescription.sdp;
  };
  /** Offers a tone as the track of a participant; the protocol names both in the stream's id. */
  const offer = async ({ participant, track }) => {
    subscriber?.close();
    subscriber = new RTCPeerConnection();
    const context = new AudioContext();
    const out = context.createMediaStreamDestination();
    const tone = new OscillatorNode(context, { frequency: 700 });
    tone.connect(out);
    tone.start();
    const [source] = out.stream.getAudioTracks();
    subscriber.addTrack(source, out.stream);
    await subscriber.setLocalDescription();
    await gathered(subscriber);
    const ours = `${out.stream.id} ${source.id}`;
    return subscriber.localDescription.sdp.replaceAll(ours, `${participant}|${track} ${track}`);
  };
  const accept = async (sdp) => {
    await subscriber.setRemoteDescription({ type: 'answer', sdp });
    await drain(subscriber, 1);
  };
  const candidate = async ([which, init]) => {
    const pc = which ? subscriber : publisher;
    if (pc?.remoteDescription) await pc.addIceCandidate(init);
    else early[which].push(init);
  };
  window.media = { reset, answer, offer, accept, candidate };
}

export async function openFakeRoom(context, page) {
  const media = await context.newPage();
  const room = { digits: [], muted: undefined, others: [], joins: 0 };
  await media.exposeFunction('packet', (bytes) => {
    const { value } = DataPacket.fromBinary(Uint8Array.from(bytes));
    if (value.case === 'sipDtmf') room.digits.push(`${value.value.code}:${value.value.digit}`);
  });
  await media.evaluate(mediaSide);
  const ask = (what, argument) => media.evaluate(([w, a]) => window.media[w](a), [what, argument]);

  let socket;
  const send = (name, value) =>
    socket.send(Buffer.from(new SignalResponse({ message: { case: name, value } }).toBinary()));

  const answers = {
    offer: async ({ sdp, id }) =>
      send('answer', { type: 'answer', sdp: await ask('answer', sdp), id }),
    answer: ({ sdp }) => ask('accept', sdp),
    trickle: ({ target, candidateInit }) => ask('candidate', [target, JSON.parse(candidateInit)]),
    addTrack: ({ cid, name, type, source }) =>
      send('trackPublished', { cid, track: { sid: 'TR_me', name, type, source } }),
    pingReq: ({ timestamp }) =>
      send('pongResp', { lastPingTimestamp: timestamp, timestamp: BigInt(Date.now()) }),
    mute: ({ muted }) => {
      room.muted = muted;
    },
  };

  const join = async () => {
    room.joins++;
    await ask('reset');
    send('join', {
      room: { sid: 'RM_1', name: 'dispute' },
      participant: {
        sid: 'PA_me',
        identity: 'me',
        state: ParticipantInfo_State.ACTIVE,
        permission: { canPublish: true, canSubscribe: true, canPublishData: true },
      },
      otherParticipants: room.others,
      serverInfo: { protocol: 15, version: '1.9.0' },
      subscriberPrimary: false,
      pingTimeout: 30,
      pingInterval: 10,
    });
  };

  await page.routeWebSocket(/\/rtc\?/, (opened) => {
    socket = opened;
    socket.onMessage(async (bytes) => {
      const { message } = SignalRequest.fromBinary(bytes);
      await answers[message.case]?.(message.value);
    });
    const resumes = socket.url().includes('reconnect=1');
    setImmediate(() => (resumes ? send('reconnect', {}) : join()));
  });

  const phone = (n, status, attributes = {}) => ({
    sid: `PA_phone${n}`,
    identity: `sip_${n}`,
    kind: ParticipantInfo_Kind.SIP,
    state: ParticipantInfo_State.ACTIVE,
    attributes: {
      'sip.callStatus': status,
      'sip.callID': `call${n}`,
      'sip.phoneNumber': '+12025550100',
      ...attributes,
    },
    tracks:
      status === 'active'
        ? [{ sid: `TR_phone${n}`, type: TrackType.AUDIO, source: TrackSource.MICROPHONE }]
        : [],
  });

  return Object.assign(room, {
    send,
    /** The phone as a participant, for `others`. */
    phone,
    /** Phone `n` comes into the room, or its call status changes. */
    setPhone: (n, status, attributes) =>
      send('update', { participants: [phone(n, status, attributes)] }),
    /** Phone `n` begins to sound. */
    sound: async (n) => {
      const names = { participant: `PA_phone${n}`, track: `TR_phone${n}` };
      send('offer', { type: 'offer', sdp: await ask('offer', names), id: n });
    },
    /** Phone `n` leaves the room. */
    dropPhone: (n) =>
      send('update', {
        participants: [{ ...phone(n, 'hangup'), state: ParticipantInfo_State.DISCONNECTED }],
      }),
    /** The signal connection breaks. */
    cut: () => socket.close(),
  });
}
