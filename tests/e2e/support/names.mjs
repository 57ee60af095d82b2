/*
 * A name server for one extension: the extension runs in a mount namespace of its own, in which
 * /etc/resolv.conf names this server and /etc/hosts nobody. Needs root.
 *
 *   const reason = await Names.unavailable();    // null, or why it cannot be had here
 *   const names = await Names.start();
 *   names.launcher                               what to start in place of the binary
 *   names.address = '127.0.0.3';                 the answer for every name
 *   await names.change('NXDOMAIN');              what it does with questions from now on:
 *     'address', 'many' (of twenty the first is meant), 'chain' (an alias), 'cut' (over UDP; the address
 *     over TCP), 'deceit' (replies that are not for who asked, then the address), 'NXDOMAIN', 'SERVFAIL',
 *     'REFUSED', 'silence', 'nobody' (nobody listens)
 *   names.questions, names.streams               how many there were
 *   Names.start({ second: true })                another server, which always tells the address
 *   await names.stop();
 */
import { execFile } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { removeFolder, temporaryFolder } from './folder.mjs';
import { BINARY, NAME } from './stand.mjs';

const run = promisify(execFile);

/* RFC 1035, 4.1.1 and 3.2.2 */
const HEADER_BYTES = 12;
const RESPONSE = 0x8180; /* an answer, recursion desired and available */
const TRUNCATED = 0x0200;
const CODES = { SERVFAIL: 2, NXDOMAIN: 3, REFUSED: 5 };
const TYPE_A = 1;
const TYPE_CNAME = 5;

/* A machine may have a name server on 127.0.0.1 or 127.0.0.53; another run of ours has another process id. */
function ownAddress(server) {
  return `127.${server}.${(process.pid >> 8) & 0xff}.${process.pid & 0xff || 1}`;
}

/* With times as Lambda's short ones: what a program that waits for a name server waits for. */
function files(servers) {
  const lines = [...servers.map((one) => `nameserver ${one.host}`), 'options timeout:1 attempts:2', ''];
  return { hosts: '127.0.0.1 localhost\n', 'resolv.conf': lines.join('\n') };
}

function launcherText(folder) {
  return `#!/bin/sh
# ${NAME} with name resolution of its own
if [ "$1" != inside ]; then
    exec unshare --mount "$0" inside
fi
mount --bind '${folder}/hosts' /etc/hosts && mount --bind '${folder}/resolv.conf' /etc/resolv.conf &&
    exec '${folder}/${NAME}'
`;
}

/* A record whose name stands at this place of the message; class IN, a life of 0 s. */
function record(place, type, data) {
  return Buffer.from([0xc0, place, 0, type, 0, 1, 0, 0, 0, 0, 0, data.length, ...data]);
}

const bytes = (address) => address.split('.').map(Number);

/* Where the question ends: behind its name, type and class. */
const questionEnd = (query) => query.indexOf(0, HEADER_BYTES) + 5;

/* What stands in the answer to a question for an address. */
const RECORDS = {
  address: (address) => [record(HEADER_BYTES, TYPE_A, bytes(address))],
  many: (address) => [address, ...Array.from({ length: 19 }, (_, i) => `127.9.9.${i}`)]
    .map((one) => record(HEADER_BYTES, TYPE_A, bytes(one))),
  /* the second record's name lies in the first one's data, behind its head of 12 bytes */
  chain: (address, query) => [
    record(HEADER_BYTES, TYPE_CNAME, [5, ...Buffer.from('alias'), 0xc0, HEADER_BYTES]),
    record(questionEnd(query) + 12, TYPE_A, bytes(address))
  ]
};

/* A reply to the query: this kind of answer, or an error, or nothing but the word that it was cut. */
function reply(query, answer, address) {
  const end = questionEnd(query);
  const asksForIt = query.readUInt16BE(end - 4) === TYPE_A;
  const records = asksForIt ? RECORDS[answer]?.(address, query) ?? [] : [];
  const head = Buffer.from(query.subarray(0, end));
  head.writeUInt16BE(RESPONSE | CODES[answer] | (answer === 'cut' && asksForIt ? TRUNCATED : 0), 2);
  head.writeUInt16BE(records.length, 6);
  head.fill(0, 8, HEADER_BYTES);
  return Buffer.concat([head, ...records]);
}

/* Another id; another question; a name that does not exist, to another id. None is meant for who asked. */
function misleading(query) {
  const WRONG = '127.0.0.99';
  const other = Buffer.from(query);
  other[HEADER_BYTES + 1] ^= 1;
  const texts = [reply(query, 'address', WRONG), reply(other, 'address', WRONG), reply(query, 'NXDOMAIN', WRONG)];
  texts[0].writeUInt16BE(query.readUInt16BE(0) ^ 1, 0);
  texts[2].writeUInt16BE(query.readUInt16BE(0) ^ 1, 0);
  return [...texts, reply(query, 'address', WRONG).subarray(0, HEADER_BYTES - 1), Buffer.alloc(0)];
}

export class Names {
  static #reason;

  static async unavailable() {
    Names.#reason ??= Names.#probe();
    return Names.#reason;
  }

  static async #probe() {
    if (process.getuid() !== 0) {
      return 'not root';
    }
    const mount = 'mount --bind /etc/hosts /etc/hosts && mount --bind /etc/resolv.conf /etc/resolv.conf';
    try {
      await run('unshare', ['--mount', 'sh', '-c', mount]);
      await (await Names.start()).stop();
    } catch (error) {
      return `no mount namespace or no port 53 here: ${error.message.split('\n')[0]}`;
    }
    return null;
  }

  static async start({ second = false } = {}) {
    const names = new Names(await temporaryFolder('names-'), second);
    try {
      await names.#start();
    } catch (error) {
      await names.stop();
      throw error;
    }
    return names;
  }

  constructor(folder, second) {
    Object.assign(this, { folder, address: '127.0.0.1' });
    this.launcher = join(folder, 'launcher');
    this.servers = [53, ...second ? [54] : []].map((number) => new Server(this, ownAddress(number)));
  }

  async #start() {
    for (const one of this.servers) {
      await one.open();
    }
    for (const [name, text] of Object.entries(files(this.servers))) {
      await writeFile(join(this.folder, name), text);
    }
    await symlink(BINARY, join(this.folder, NAME));
    await writeFile(this.launcher, launcherText(this.folder), { mode: 0o755 });
  }

  async stop() {
    for (const one of this.servers) {
      await one.close();
    }
    removeFolder(this.folder);
  }

  change(answer) {
    return this.servers[0].change(answer);
  }

  get questions() {
    return this.servers[0].questions;
  }

  get streams() {
    return this.servers[0].streams;
  }
}

class Server {
  constructor(names, host) {
    Object.assign(this, { names, host, answer: 'address', questions: 0, streams: 0, sockets: new Set() });
  }

  async open() {
    this.socket = createSocket('udp4', (query, { port, address }) => this.#answer(query, port, address));
    this.elsewhere = createSocket('udp4');
    this.listener = createServer((socket) => this.#stream(socket));
    this.socket.bind(53, this.host);
    await once(this.socket, 'listening');
    this.elsewhere.bind(0, this.host);
    await once(this.elsewhere, 'listening');
    this.listener.listen(53, this.host);
    await once(this.listener, 'listening');
  }

  /* What was opened, perhaps not all. */
  async close() {
    this.sockets.forEach((socket) => socket.destroy());
    for (const one of [this.socket, this.elsewhere, this.listener]) {
      await new Promise((resolve) => {
        try {
          one.close(resolve);
        } catch {
          resolve();
        }
      });
    }
  }

  async change(answer) {
    if (this.answer === 'nobody') {
      await this.open();
    }
    this.answer = answer;
    if (answer === 'nobody') {
      await this.close();
    }
  }

  #answer(query, port, address) {
    this.questions += 1;
    if (this.answer === 'silence') {
      return;
    }
    if (this.answer === 'deceit') {
      this.elsewhere.send(reply(query, 'address', '127.0.0.99'), port, address);
      misleading(query).forEach((text) => this.socket.send(text, port, address));
    }
    this.socket.send(reply(query, this.answer === 'deceit' ? 'address' : this.answer, this.names.address), port, address);
  }

  /* A message behind its length, in any number of pieces: RFC 1035, 4.2.2. The address, whatever `answer` says. */
  #stream(socket) {
    let text = Buffer.alloc(0);
    this.streams += 1;
    this.sockets.add(socket);
    socket.on('close', () => this.sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    socket.on('data', (piece) => {
      text = Buffer.concat([text, piece]);
      while (text.length >= 2 && text.length >= 2 + text.readUInt16BE(0)) {
        const end = 2 + text.readUInt16BE(0);
        const answer = reply(text.subarray(2, end), 'address', this.names.address);
        socket.write(Buffer.from([answer.length >> 8, answer.length & 0xff]));
        socket.write(answer);
        text = text.subarray(end);
      }
    });
  }
}
