/*
 * A name server for one extension: the extension runs in a mount namespace of its own, in which
 * /etc/resolv.conf names this server and /etc/hosts nobody. Needs root.
 *
 *   const reason = await Names.unavailable();    // null, or why it cannot be had here
 *   const names = await Names.start();
 *   names.launcher                               what to start in place of the binary
 *   names.address = '127.0.0.3';                 the answer for every name
 *   names.answer = 'NXDOMAIN';                   or 'SERVFAIL', 'silence', 'address'
 *   await names.stop();
 */
import { execFile } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { removeFolder, temporaryFolder } from './folder.mjs';
import { BINARY, NAME } from './stand.mjs';

const run = promisify(execFile);

/* RFC 1035, 4.1.1 and 3.2.2 */
const HEADER_BYTES = 12;
const RESPONSE = 0x8180; /* an answer, recursion desired and available */
const CODES = { address: 0, SERVFAIL: 2, NXDOMAIN: 3 };
const TYPE_A = 1;

/* A machine may have a name server on 127.0.0.1 or 127.0.0.53; another run of ours has another process id. */
function ownAddress() {
  return `127.53.${(process.pid >> 8) & 0xff}.${process.pid & 0xff || 1}`;
}

/* With times as Lambda's short ones: what a program that waits for a name server waits for. */
function files(server) {
  return { hosts: '127.0.0.1 localhost\n', 'resolv.conf': `nameserver ${server}\noptions timeout:1 attempts:2\n` };
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

/* The answer to one question, or null. */
function reply(query, answer, address) {
  const end = query.indexOf(0, HEADER_BYTES) + 5;
  const type = query.readUInt16BE(end - 4);
  const found = answer === 'address' && type === TYPE_A;
  const head = Buffer.from(query.subarray(0, end));
  head.writeUInt16BE(RESPONSE | CODES[answer], 2);
  head.writeUInt16BE(found ? 1 : 0, 6);
  head.fill(0, 8, HEADER_BYTES);
  /* the name again (a pointer to the question), type A, class IN, a life of 0 s, 4 bytes */
  const record = Buffer.from([0xc0, HEADER_BYTES, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, ...address.split('.').map(Number)]);
  return found ? Buffer.concat([head, record]) : head;
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

  static async start() {
    const names = new Names(await temporaryFolder('names-'));
    try {
      await names.#start();
    } catch (error) {
      await names.stop();
      throw error;
    }
    return names;
  }

  constructor(folder) {
    Object.assign(this, { folder, answer: 'address', address: '127.0.0.1', questions: 0 });
    this.launcher = join(folder, 'launcher');
    this.socket = createSocket('udp4', (query, { port, address }) => this.#answer(query, port, address));
  }

  async #start() {
    const server = ownAddress();
    this.socket.bind(53, server);
    await once(this.socket, 'listening');
    for (const [name, text] of Object.entries(files(server))) {
      await writeFile(join(this.folder, name), text);
    }
    await symlink(BINARY, join(this.folder, NAME));
    await writeFile(this.launcher, launcherText(this.folder), { mode: 0o755 });
  }

  async stop() {
    await new Promise((resolve) => this.socket.close(resolve));
    removeFolder(this.folder);
  }

  #answer(query, port, address) {
    this.questions += 1;
    if (this.answer !== 'silence') {
      this.socket.send(reply(query, this.answer, this.address), port, address);
    }
  }
}
