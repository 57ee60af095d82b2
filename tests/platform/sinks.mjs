// How a batch travels: HTTP POST, or newline-delimited JSON over TCP (2.1, 2.2).

import http from 'node:http';
import net from 'node:net';
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

export class HttpSink {
  // One connection, kept alive, and so one POST in flight.
  #agent;
  #destination;
  #deliver;
  #requests = new Set();
  #paused = false;
  #waits = [];

  constructor(destination, deliver) {
    this.#agent = new http.Agent({ keepAlive: true, maxSockets: 1, timeout: deliver.idleMs });
    this.#destination = destination;
    this.#deliver = deliver;
  }

  // Resolves with {status} or {error}; never rejects.
  send({ body }) {
    return new Promise((resolve) => {
      const request = http.request(this.#options(body));
      this.#requests.add(request);
      const settle = (result) => {
        this.#requests.delete(request);
        resolve(result);
      };
      request.on('response', (response) => {
        if (!request.writableEnded) {
          request.destroy();
          return settle({ error: 'an answer before the end of the body' }); // Go's client gives up, too
        }
        response.resume();
        response.on('end', () => settle({ status: response.statusCode }));
        response.on('error', (error) => settle({ error: error.code ?? error.message }));
      });
      request.on('error', (error) => settle({ error: error.code ?? error.message }));
      this.#write(request, body);
    });
  }

  async #write(request, body) {
    const { pieceBytes, halvesMs } = this.#deliver;
    if (pieceBytes === null && halvesMs === 0) return void request.end(body);
    const half = halvesMs === 0 ? 0 : Math.ceil(body.length / 2);
    const size = pieceBytes ?? body.length;
    for (let at = 0; at < body.length && !request.destroyed;) {
      const end = Math.min(at + size, at < half ? half : body.length);
      const taken = request.write(body.subarray(at, end));
      at = end;
      if (at === half) await sleep(halvesMs);
      else if (!taken) await either(request, 'drain', 'close');
      await this.#resumed();
    }
    request.end();
  }

  #resumed() {
    return this.#paused ? new Promise((resolve) => this.#waits.push(resolve)) : Promise.resolve();
  }

  // A body of which a part is written gets no more of it until resume().
  pause() {
    this.#paused = true;
  }

  resume() {
    this.#paused = false;
    for (const resolve of this.#waits.splice(0)) resolve();
  }

  #options(body) {
    const length = this.#deliver.chunked ? { 'Transfer-Encoding': 'chunked' } : { 'Content-Length': body.length };
    return {
      agent: this.#agent,
      host: '127.0.0.1', // what sandbox.localdomain means here
      port: this.#destination.port,
      path: this.#deliver.dropPath ? '/' : this.#destination.path,
      method: 'POST',
      headers: {
        Host: this.#deliver.dropPath ?
          `127.0.0.1:${this.#destination.port}` :
          `sandbox.localdomain:${this.#destination.port}`,
        'User-Agent': 'Go-http-client/1.1',
        ...length,
        'Content-Type': 'application/json',
        'Sequence-Id': createHash('sha256').update(body).digest('base64'),
        'Accept-Encoding': 'gzip',
        ...this.#deliver.headers
      }
    };
  }

  // Breaks off what is in flight.
  abort(reason) {
    for (const request of this.#requests) request.destroy(new Error(reason));
  }

  close() {
    this.abort('the platform stops');
    this.resume();
    this.#agent.destroy();
  }
}

function either(emitter, ...events) {
  return new Promise((resolve) => events.forEach((event) => emitter.once(event, resolve)));
}

export class TcpSink {
  #socket;

  // Dials at once; rejects when nobody listens.
  static async dial(port) {
    const sink = new TcpSink();
    sink.#socket = net.connect(port, '127.0.0.1');
    await new Promise((resolve, reject) => {
      sink.#socket.once('connect', resolve);
      sink.#socket.once('error', reject);
    });
    sink.#socket.on('error', () => {});
    return sink;
  }

  send({ items }) {
    const lines = Buffer.concat(items.flatMap((item) => [item.bytes, Buffer.from('\n')]));
    return new Promise((resolve) => {
      this.#socket.write(lines, (error) => resolve(error ? { error: error.code ?? error.message } : { status: 200 }));
    });
  }

  pause() {}

  resume() {}

  abort() {}

  close() {
    this.#socket.destroy();
  }
}
