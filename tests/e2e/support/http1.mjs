/*
 * HTTP/1.1 on the server's side, byte for byte: what node:http would smooth over, a test of a client
 * has to see and to be able to send.
 *
 *   const reader = new RequestReader(socket);
 *   const request = await reader.next();   // null once the client has closed between two requests
 *   // { method, path, version, headers: [[name, value]], body, bytes }
 *   socket.write(reply({ status: 200, headers: [['Content-Type', 'text/plain']], body: 'ok' }));
 */
import { STATUS_CODES } from 'node:http';

const HEAD_MAX = 64 * 1024;
/* Kinesis takes 10 MiB decoded; base64 and keys make more of it. */
const BODY_MAX = 20 * 1024 * 1024;

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/* RFC 9110, section 5.5: visible ASCII, space, tab and bytes above 127. */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

export class BadRequest extends Error {}

/* The strict reading of RFC 9112: no bare LF, no folded lines, no blank before the colon. */
function parseHead(text) {
  if (/[^\r]\n|\r[^\n]|^\n/.test(text)) {
    throw new BadRequest('a line that does not end in CRLF');
  }
  const [first, ...lines] = text.split('\r\n');
  const start = /^([A-Z]+) (\S+) HTTP\/(1\.[01])$/.exec(first);
  if (!start) {
    throw new BadRequest(`request line ${JSON.stringify(first)}`);
  }
  const headers = lines.map((line) => {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon);
    const value = line.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, '');
    if (colon < 1 || !TOKEN.test(name) || !VALUE.test(value)) {
      throw new BadRequest(`header line ${JSON.stringify(line)}`);
    }
    return [name, value];
  });
  return { method: start[1], path: start[2], version: start[3], headers };
}

/* All values of a header, in order; names are compared without case. */
export function values(message, name) {
  const wanted = name.toLowerCase();
  return message.headers.filter(([one]) => one.toLowerCase() === wanted).map(([, value]) => value);
}

function bodyLength(head) {
  if (values(head, 'transfer-encoding').length > 0) {
    throw new BadRequest('a transfer coding: Kinesis wants Content-Length');
  }
  const lengths = values(head, 'content-length');
  if (lengths.length !== 1 || !/^\d+$/.test(lengths[0])) {
    throw new BadRequest(`content-length ${JSON.stringify(lengths)}`);
  }
  if (values(head, 'host').length !== 1) {
    throw new BadRequest('not exactly one Host');
  }
  const length = Number(lengths[0]);
  if (length > BODY_MAX) {
    throw new BadRequest(`a body of ${length} bytes`);
  }
  return length;
}

export class RequestReader {
  #pieces = [];
  #bytes = 0;
  #input;

  constructor(socket) {
    this.#input = socket[Symbol.asyncIterator]();
  }

  /* Reads on until there are `count` bytes. */
  async #have(count) {
    while (this.#bytes < count) {
      const { value, done } = await this.#input.next();
      if (done) {
        return false;
      }
      this.#pieces.push(value);
      this.#bytes += value.length;
    }
    return true;
  }

  #joined() {
    if (this.#pieces.length !== 1) {
      this.#pieces = [Buffer.concat(this.#pieces)];
    }
    return this.#pieces[0];
  }

  #take(count) {
    const all = this.#joined();
    this.#pieces = [all.subarray(count)];
    this.#bytes -= count;
    return all.subarray(0, count);
  }

  async #head() {
    for (;;) {
      const end = this.#joined().indexOf('\r\n\r\n');
      if (end >= 0) {
        const text = this.#take(end + 4).toString('latin1', 0, end);
        return { ...parseHead(text), headBytes: end + 4 };
      }
      if (this.#bytes > HEAD_MAX) {
        throw new BadRequest('a head without end');
      }
      if (!await this.#have(this.#bytes + 1)) {
        return null;
      }
    }
  }

  async next() {
    const head = await this.#head();
    if (!head) {
      if (this.#bytes > 0) {
        throw new BadRequest('closed inside a head');
      }
      return null;
    }
    const length = bodyLength(head);
    if (!await this.#have(length)) {
      throw new BadRequest(`closed after ${this.#bytes} of ${length} bytes of body`);
    }
    return { ...head, body: this.#take(length), bytes: head.headBytes + length };
  }
}

/* A reply's head. */
export function replyHead(status, headers, version = '1.1') {
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  return Buffer.from(`HTTP/${version} ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines}\r\n`, 'latin1');
}

/* A whole reply with Content-Length. */
export function reply({ status = 200, headers = [], body = '' }) {
  const bytes = Buffer.from(body);
  return Buffer.concat([replyHead(status, [...headers, ['Content-Length', bytes.length]]), bytes]);
}

/* The body in the chunked coding, in pieces of `size` bytes, with an extension and a trailer to skip. */
export function chunked(body, size = 100) {
  const bytes = Buffer.from(body);
  const pieces = [];
  for (let at = 0; at < bytes.length; at += size) {
    const piece = bytes.subarray(at, at + size);
    pieces.push(Buffer.from(`${piece.length.toString(16)};note="a b"\r\n`), piece, Buffer.from('\r\n'));
  }
  pieces.push(Buffer.from('0\r\nX-Checked: yes\r\n\r\n'));
  return Buffer.concat(pieces);
}
