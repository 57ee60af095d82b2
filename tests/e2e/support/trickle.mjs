/*
 * Stands between the extension and the front and passes bytes on, slowly or changed on demand.
 *
 *   const trickle = await Trickle.start();
 *   trickle.target = front.port;            // before the first connection
 *   trickle.url                             for AWS_ENDPOINT_URL_KINESIS
 *   trickle.up = 300;                       // bytes every 10 ms towards the server; null: no limit
 *   trickle.down = 300;                     // the same towards the extension
 *   trickle.spoil = () => true;             // whether to change a byte of the next encrypted request
 *   trickle.records                         types of the TLS records from the extension, a list a connection
 *   await trickle.stop();
 */
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const STEP_MS = 10;
/* RFC 5246, 6.2.1: the first byte of a TLS record that holds application data, or an alert. */
export const APPLICATION_DATA = 0x17;
export const ALERT = 0x15;

/* Notes the type of each TLS record in a stream whose bytes it is given. */
function recordReader(types) {
  let bytes = Buffer.alloc(0);
  return (piece) => {
    bytes = Buffer.concat([bytes, piece]);
    while (bytes.length >= 5 && bytes.length >= 5 + bytes.readUInt16BE(3)) {
      types.push(bytes[0]);
      bytes = bytes.subarray(5 + bytes.readUInt16BE(3));
    }
  };
}

export class Trickle {
  #sockets = new Set();

  static async start() {
    const trickle = new Trickle();
    trickle.server.listen(0, '127.0.0.1');
    await once(trickle.server, 'listening');
    trickle.url = `https://localhost:${trickle.server.address().port}`;
    return trickle;
  }

  constructor() {
    Object.assign(this, { records: [], target: null, up: null, down: null, spoil: () => false });
    this.server = createServer({ allowHalfOpen: true }, (socket) => this.#accept(socket));
  }

  async stop() {
    this.server.close();
    for (const socket of this.#sockets) {
      socket.destroy();
    }
    await once(this.server, 'close');
  }

  #accept(client) {
    const server = connect({ port: this.target, host: '127.0.0.1', allowHalfOpen: true });
    for (const [socket, other] of [[client, server], [server, client]]) {
      this.#sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => other.destroy());
      socket.once('close', () => this.#sockets.delete(socket));
    }
    const types = [];
    this.records.push(types);
    this.#pump(client, server, 'up', recordReader(types));
    this.#pump(server, client, 'down');
  }

  async #pump(from, to, direction, note = () => {}) {
    try {
      for await (const bytes of from) {
        note(bytes);
        await this.#pass(direction === 'up' ? this.#changed(bytes) : bytes, to, direction);
      }
      to.end();
    } catch {
      to.destroy(); /* one of the two has gone */
    }
  }

  async #pass(bytes, to, direction) {
    let left = bytes;
    while (left.length > 0) {
      const size = this[direction] ?? left.length;
      if (to.destroyed) {
        throw new Error('gone');
      }
      if (!to.write(left.subarray(0, size))) {
        await Promise.race([once(to, 'drain'), once(to, 'close')]);
      }
      left = left.subarray(size);
      if (this[direction] !== null) {
        await sleep(STEP_MS);
      }
    }
  }

  /* A server that finds a record changed says so in an alert, encrypted as all else. */
  #changed(bytes) {
    if (bytes[0] !== APPLICATION_DATA || !this.spoil()) {
      return bytes;
    }
    const changed = Buffer.from(bytes);
    changed[changed.length - 1] ^= 1;
    return changed;
  }
}
