/*
 * Stands between the extension and the platform and sends the platform's replies on in another form:
 * what a test of a client has to be able to send, byte for byte.
 *
 *   const relay = await Relay.start((reply) => chunkedForm(reply));
 *   await Platform.start({ port: relay.platformPort, env: { AWS_LAMBDA_RUNTIME_API: relay.address } });
 *   relay.dropWaiting();     // ends the connections of calls that wait for a reply
 *   await relay.stop();
 *
 * The function gets { name, n, status, headers: [[name, value]], body } of each reply: name is register,
 * subscribe or next, n counts the replies of that name from 0. It returns
 *   nothing                                    the reply as it is
 *   { status, headers, body }                  another reply; what is left out stays as it was
 *   { bytes: [Buffer…], end }                  these bytes, each as a write of its own; end: then a close
 *   { drop: true }                             the connection is cut
 */
import { once } from 'node:events';
import { Agent, request as httpRequest } from 'node:http';
import { createServer, isIPv6 } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { chunked, replyHead } from './http1.mjs';
import { freePort } from './stand.mjs';

const NAMES = [['/extension/register', 'register'], ['/telemetry', 'subscribe'], ['/event/next', 'next']];

/* The extension's requests on one connection: { method, path, headers, body }. It sends no chunks. */
async function* requests(socket) {
  let bytes = Buffer.alloc(0);
  for await (const piece of socket) {
    bytes = Buffer.concat([bytes, piece]);
    const end = bytes.indexOf('\r\n\r\n');
    const [line, ...fields] = bytes.toString('latin1', 0, Math.max(end, 0)).split('\r\n');
    const headers = Object.fromEntries(fields.map((field) => /^([^:]+): ?(.*)$/.exec(field).slice(1)));
    const whole = end + 4 + Number(headers['Content-Length'] ?? 0);
    if (end >= 0 && bytes.length >= whole) {
      const [method, path] = line.split(' ');
      yield { method, path, headers, body: bytes.subarray(end + 4, whole) };
      bytes = bytes.subarray(whole);
    }
  }
}

/* Header lines as [[name, value]], without those that frame the body. */
function plainHeaders({ rawHeaders }) {
  const pairs = [];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (!/^(content-length|transfer-encoding|connection|keep-alive)$/i.test(rawHeaders[i])) {
      pairs.push([rawHeaders[i], rawHeaders[i + 1]]);
    }
  }
  return pairs;
}

export class Relay {
  #sockets = new Set();
  #waiting = new Set();
  #agent = new Agent({ keepAlive: true });
  #counts = new Map();
  #change;

  /* host: an address of this machine to listen at. */
  static async start(change = () => null, host = '127.0.0.1') {
    const relay = new Relay(change);
    relay.platformPort = await freePort();
    relay.server.listen(0, host);
    await once(relay.server, 'listening');
    relay.address = `${isIPv6(host) ? `[${host}]` : host}:${relay.server.address().port}`;
    return relay;
  }

  constructor(change) {
    this.#change = change;
    this.connections = 0;
    this.server = createServer((socket) => this.#serve(socket));
  }

  /* Calls that wait for the platform. */
  get waiting() {
    return this.#waiting.size;
  }

  dropWaiting() {
    for (const socket of this.#waiting) {
      socket.destroy();
    }
  }

  async stop() {
    this.#agent.destroy();
    this.server.close();
    for (const socket of this.#sockets) {
      socket.destroy();
    }
    await once(this.server, 'close');
  }

  async #serve(socket) {
    this.connections += 1;
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => {});
    socket.once('close', () => this.#sockets.delete(socket));
    try {
      for await (const request of requests(socket)) {
        await send(socket, await this.#answer(socket, request));
        if (socket.writableEnded) {
          break; /* which destroys it */
        }
      }
    } catch {
      socket.destroy(); /* one of the two sides has gone */
    }
  }

  /* What becomes of the platform's reply: { bytes, end } or { drop }. */
  async #answer(socket, request) {
    const name = NAMES.find(([end]) => request.path.endsWith(end))?.[1];
    const upstream = httpRequest({ agent: this.#agent, host: '127.0.0.1', port: this.platformPort, ...request });
    const gone = () => upstream.destroy(new Error('the extension has gone'));
    this.#waiting.add(socket);
    socket.once('close', gone);
    try {
      upstream.end(request.body);
      const [answer] = await once(upstream, 'response');
      const parts = await answer.toArray();
      const n = this.#counts.get(name) ?? 0;
      this.#counts.set(name, n + 1);
      return this.#changed({
        name, n, status: answer.statusCode, headers: plainHeaders(answer), body: String(Buffer.concat(parts))
      });
    } finally {
      this.#waiting.delete(socket);
      socket.off('close', gone);
    }
  }

  #changed(reply) {
    const changed = this.#change(reply);
    return changed?.drop || changed?.bytes ? changed : { bytes: [whole({ ...reply, ...changed })] };
  }
}

async function send(socket, { bytes, end = false, drop = false }) {
  if (drop) {
    socket.destroy();
    return;
  }
  for (const piece of bytes) {
    socket.write(piece);
    await turn();
  }
  if (end) {
    await new Promise((resolve) => socket.end(resolve));
  }
}

/* A reply as bytes, with Content-Length. */
export function whole({ status, headers, body }) {
  return Buffer.concat([replyHead(status, [...headers, ['Content-Length', Buffer.byteLength(body)]]), Buffer.from(body)]);
}

/* Forms of one and the same reply, all of them well formed. */
export const FORMS = {
  'as it is': () => null,
  'a byte a write': (reply) => ({ bytes: [...whole(reply)].map((byte) => Buffer.from([byte])) }),
  'head and body apart': ({ body, ...reply }) => ({
    bytes: [replyHead(reply.status, [...reply.headers, ['Content-Length', Buffer.byteLength(body)]]), Buffer.from(body)]
  }),
  chunked: ({ status, headers, body }) => ({
    bytes: [replyHead(status, [...headers, ['Transfer-Encoding', 'chunked']]), chunked(body)]
  }),
  'chunked, a byte a chunk': ({ status, headers, body }) => ({
    bytes: [replyHead(status, [...headers, ['Transfer-Encoding', 'chunked']]), chunked(body, 1)]
  }),
  'after 100 Continue': (reply) => ({ bytes: [Buffer.from('HTTP/1.1 100 Continue\r\n\r\n'), whole(reply)] }),
  'after several interim replies': (reply) => ({
    bytes: [Buffer.concat([replyHead(100, []), replyHead(103, [['Link', '</a>']]), replyHead(100, []), whole(reply)])]
  }),
  'ended by the connection': ({ status, headers, body }) => ({
    bytes: [replyHead(status, [...headers, ['Connection', 'close']]), Buffer.from(body)], end: true
  }),
  'of HTTP/1.0': ({ status, headers, body }) => ({ bytes: [replyHead(status, headers, '1.0'), Buffer.from(body)], end: true }),
  'with Connection: close': (reply) => ({
    bytes: [whole({ ...reply, headers: [...reply.headers, ['Connection', 'close']] })], end: true
  }),
  'with a close that is not announced': (reply) => ({ bytes: [whole(reply)], end: true }),
  'with names in capitals': (reply) => ({
    bytes: [whole({ ...reply, headers: reply.headers.map(([name, value]) => [name.toUpperCase(), value]) })]
  }),
  'with 12 KB of fields': (reply) => ({
    bytes: [whole({ ...reply, headers: [...reply.headers, ...Array.from({ length: 40 }, (_, i) => [`X-${i}`, 'v'.repeat(300)])] })]
  }),
  'without a reason phrase': (reply) => ({
    bytes: [Buffer.from(whole(reply).toString('latin1').replace(/^(HTTP\/1\.1 \d+) [^\r]*/, '$1'), 'latin1')]
  })
};
