/*
 * HTTP/1.1 on the client's side, byte for byte: what no client library would send.
 *
 *   const { statuses } = await talk(port, [post('[]')]);   // [200]
 *   const client = await RawClient.connect(port);
 *   await client.write('POST / HT');
 *   client.destroy();
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { until, within } from './until.mjs';

const PATIENCE_MS = 60_000;

/* A request; fields are [[name, value]]. Without `length` none is told. */
export function request(body = '', { method = 'POST', target = '/', version = '1.1', fields = [], length = true } = {}) {
  const bytes = Buffer.from(body);
  const all = [['Host', 'sandbox.localdomain'], ...fields, ...length ? [['Content-Length', bytes.length]] : []];
  const head = `${method} ${target} HTTP/${version}\r\n${all.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
  return Buffer.concat([Buffer.from(head, 'latin1'), bytes]);
}

/* The same in the chunked coding; `size` bytes a chunk. */
export function chunkedRequest(body, { size = 1_000, extension = '', trailers = '', ...options } = {}) {
  const bytes = Buffer.from(body);
  const pieces = [request('', { ...options, length: false, fields: [['Transfer-Encoding', 'chunked'], ...options.fields ?? []] })];
  for (let at = 0; at < bytes.length; at += size) {
    const piece = bytes.subarray(at, at + size);
    pieces.push(Buffer.from(`${piece.length.toString(16)}${extension}\r\n`), piece, Buffer.from('\r\n'));
  }
  return Buffer.concat([...pieces, Buffer.from(`0${extension}\r\n${trailers}\r\n`)]);
}

export function byteByByte(bytes) {
  return [...Buffer.from(bytes)].map((byte) => Buffer.from([byte]));
}

export class RawClient {
  static async connect(port) {
    const client = new RawClient(connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true }));
    await within('a connection', PATIENCE_MS, once(client.socket, 'connect'));
    return client;
  }

  constructor(socket) {
    this.socket = socket;
    this.text = '';
    this.ended = false; /* the peer has closed, or reset */
    socket.setEncoding('latin1').on('data', (part) => {
      this.text += part;
    });
    socket.on('end', () => {
      this.ended = true;
    });
    socket.on('error', () => {}); /* a reset; close follows */
    socket.on('close', () => {
      this.ended = true;
    });
  }

  /* Of the replies so far; none of them has a body. */
  get statuses() {
    return [...this.text.matchAll(/HTTP\/1\.1 (\d{3}) [^\r]*\r\n(?:[^\r]+\r\n)*\r\n/g)].map(([, status]) => Number(status));
  }

  /* Resolves when the kernel has it all, or when the peer is gone. */
  write(bytes) {
    return within('a write', PATIENCE_MS, new Promise((resolve) => {
      if (this.socket.destroyed || this.socket.writableEnded) {
        resolve();
        return;
      }
      this.socket.once('close', resolve);
      this.socket.write(bytes, () => {
        this.socket.off('close', resolve);
        resolve();
      });
    }));
  }

  /* Resolves when there are `count` replies, or the peer has closed. */
  async replies(count) {
    await until(`${count} replies`, () => this.ended || this.statuses.length >= count, PATIENCE_MS);
  }

  async peerCloses() {
    await until('the peer closes', () => this.ended, PATIENCE_MS);
  }

  end() {
    this.socket.end();
  }

  destroy() {
    this.socket.destroy();
  }

  reset() {
    this.socket.resetAndDestroy();
  }
}

/*
 * One connection: sends the pieces one by one, waits for `replies` of them, closes its side, and reads
 * on until the peer has closed too: { statuses, text, closedFirst }. closedFirst: the peer did so
 * before us.
 */
export async function talk(port, pieces, { replies = 1 } = {}) {
  const client = await RawClient.connect(port);
  try {
    for (const piece of pieces) {
      await client.write(piece);
      await turn();
    }
    await client.replies(replies);
    const closedFirst = /\r\nConnection: close\r\n/.test(client.text) && await client.peerCloses().then(() => true);
    client.end();
    await client.peerCloses();
    return { statuses: client.statuses, text: client.text, closedFirst };
  } finally {
    client.destroy();
  }
}
