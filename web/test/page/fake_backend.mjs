// The endpoints of the server, and the built page under the policy that README.md names.
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';

const DIST = new URL('../../dist/', import.meta.url);
const TYPES = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript',
  css: 'text/css',
  svg: 'image/svg+xml',
};

const BANKS = [
  { id: 'first-national', name: 'First National Bank', phone_number: '+12025550100' },
  { id: 'harbor', name: 'Harbor Savings', phone_number: '+12025550111' },
];

/**
 * `onOutbound(n)` runs after the n-th call was placed, `onHangUp(n)` when that call is to end;
 * `refusal` is an error sentence that the next calls are answered with.
 */
export function startBackend() {
  const backend = { calls: [], hangUps: [], tokens: [], refusal: undefined };
  let port;

  const endpoints = {
    'GET /app/config': () => [200, { banks: BANKS, server_url: `ws://127.0.0.1:${port}` }],
    'POST /livekit/token': (body) => {
      backend.tokens.push(body);
      const { room_name, participant_identity } = body;
      const server_url = `ws://127.0.0.1:${port}`;
      return [201, { server_url, participant_token: 'token', room_name, participant_identity }];
    },
    'POST /livekit/sip/outbound': (body, headers) => {
      if (backend.refusal) {
        const error = { code: 'invalid_phone_number', message: backend.refusal };
        return [400, { success: false, error }];
      }
      const n = backend.calls.push({ ...body, key: headers['idempotency-key'] });
      setImmediate(() => backend.onOutbound?.(n));
      const names = { participant_identity: `sip_${n}`, participant_id: `PA_phone${n}` };
      return [200, { success: true, ...names, room: body.room, sip_call_id: `call${n}` }];
    },
    'POST /livekit/sip/hangup': (body) => {
      backend.hangUps.push(body);
      setImmediate(() => backend.onHangUp?.(backend.calls.length));
      return [200, { success: true }];
    },
  };

  const policy = () =>
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
    `connect-src 'self' ws://127.0.0.1:${port} http://127.0.0.1:${port}; ` +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

  const server = createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url, 'http://localhost');
    const record = pathname.startsWith('/livekit/sip/calls/') && backend.record;
    if (record && searchParams.get('format') === 'ladder') {
      response.writeHead(200, { 'Content-Type': 'text/plain; charset=utf-8' });
      return response.end(record.ladder);
    }
    if (record) {
      response.writeHead(200, { 'Content-Type': 'application/json' });
      return response.end(JSON.stringify({ success: true, call: record.call }));
    }
    const endpoint = endpoints[`${request.method} ${pathname}`];
    if (endpoint) {
      let text = '';
      for await (const chunk of request) text += chunk;
      const [status, answer] = endpoint(
        text === '' ? undefined : JSON.parse(text),
        request.headers,
      );
      response.writeHead(status, { 'Content-Type': 'application/json' });
      return response.end(JSON.stringify(answer));
    }
    const name = pathname === '/' ? 'index.html' : pathname.slice(1);
    const type = TYPES[name.split('.').pop()];
    const data = type && (await readFile(new URL(name, DIST)).catch(() => undefined));
    response.writeHead(data ? 200 : 404, {
      'Content-Type': type ?? 'text/plain',
      'Content-Security-Policy': policy(),
    });
    response.end(data);
  });

  return new Promise((started) =>
    server.listen(0, '127.0.0.1', () => {
      ({ port } = server.address());
      const stop = () => {
        server.closeAllConnections();
        server.close();
      };
      started(Object.assign(backend, { url: `http://127.0.0.1:${port}/`, stop }));
    }),
  );
}
