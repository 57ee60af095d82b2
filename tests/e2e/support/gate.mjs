/*
 * Where a function waits in the midst of its work: it asks for a URL of the gate, and the test says when to answer.
 *
 *   const gate = await Gate.start();
 *   const invoked = stand.platform.invoke({ pieces: ['a', 'b'], gate: gate.url });
 *   await gate.asked(1);       // one has come, and waits
 *   gate.open();               // it may go on
 *   await gate.stop();
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { until } from './until.mjs';

export class Gate {
  #waiting = [];
  #server;

  static async start() {
    const gate = new Gate();
    gate.#server = createServer((request, response) => gate.#waiting.push(response)).listen(0, '127.0.0.1');
    await once(gate.#server, 'listening');
    gate.url = `http://127.0.0.1:${gate.#server.address().port}/`;
    return gate;
  }

  /* Resolves when so many wait. */
  async asked(count) {
    await until(`${count} at the gate`, () => this.#waiting.length >= count);
  }

  /* For the first of them. */
  open() {
    this.#waiting.shift().end('go on');
  }

  async stop() {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
