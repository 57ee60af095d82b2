// The one HTTP server of the sandbox, at AWS_LAMBDA_RUNTIME_API: routes, bodies, replies, faults, the list of calls.

import http from 'node:http';
import { underFault } from './faults.mjs';

// A route is {method, path: RegExp, name, limit, handle}, and {listed, caller} for calls that tests want to see.
// limit is that of a body, or a function of the headers.
// handle(request) returns {status, headers, body} or a promise of it;
// request is {headers, params, body: Buffer, trailers, firstByteAt, onClose(callback)}.
export class ControlServer {
  #routes;
  #journal;
  #faults;
  #server;

  constructor(routes, journal, faults) {
    this.#routes = routes;
    this.#journal = journal;
    this.#faults = faults;
    this.#server = http.createServer((req, res) => this.#serve(req, res));
    // Like the Go server of the sandbox: a call may block for ever, a kept connection is never closed.
    this.#server.keepAliveTimeout = 0;
    this.#server.requestTimeout = 0;
    this.#server.timeout = 0;
  }

  async listen(port) {
    await new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, '127.0.0.1', resolve);
    });
    return `127.0.0.1:${this.#server.address().port}`;
  }

  async close() {
    if (!this.#server.listening) return;
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  async #serve(req, res) {
    res.on('error', () => {});
    const firstByteAt = performance.now();
    try {
      const { route, params, refusal } = this.#find(req);
      const limit = limitOf(route, req.headers);
      const body = await readBody(req, limit);
      if (route === undefined) return send(res, refusal);
      if (body === null) return send(res, tooLarge(limit));
      const request = {
        headers: req.headers,
        params,
        body,
        trailers: req.trailers,
        firstByteAt,
        onClose: (callback) => res.once('close', callback)
      };
      await this.#answer(route, request, res);
    } catch (error) {
      if (error.code === 'ECONNRESET') return; // the peer left while it was still sending
      send(res, { status: 500, body: { errorMessage: String(error), errorType: 'InternalServerError' } });
    }
  }

  #find(req) {
    const path = req.url.split('?')[0];
    const matching = this.#routes.filter((route) => route.path.test(path));
    if (matching.length === 0) {
      return { refusal: { status: 404, headers: { 'Content-Type': 'text/plain' }, body: '404 page not found\n' } };
    }
    const route = matching.find((candidate) => candidate.method === req.method);
    if (route === undefined) return { refusal: { status: 405, body: '' } };
    return { route, params: route.path.exec(path).slice(1) };
  }

  async #answer(route, request, res) {
    const call = {
      name: route.name,
      extension: route.caller?.(request) ?? null,
      time: request.firstByteAt,
      body: route.listed ? request.body.toString() : null,
      status: null
    };
    if (route.listed) this.#journal.call(call);
    const fault = this.#faults.take(route.name, call);
    const reply = await underFault(fault, () => route.handle(request));
    if (reply === null) return; // the caller is gone
    call.status = reply.drop ? 'drop' : (reply.status ?? 'raw');
    call.doneTime = performance.now();
    send(res, reply);
    if (route.listed) this.#journal.changed();
  }
}

function limitOf(route, headers) {
  const limit = route?.limit ?? 1024 * 1024;
  return typeof limit === 'function' ? limit(headers) : limit;
}

// null when there is more than limit bytes.
async function readBody(req, limit) {
  const chunks = [];
  let size = 0;
  for await (const chunk of req) {
    size += chunk.length;
    if (size <= limit) chunks.push(chunk);
  }
  return size > limit ? null : Buffer.concat(chunks);
}

function tooLarge(limit) {
  return {
    status: 413,
    body: {
      errorMessage: `Exceeded maximum allowed payload size (${limit} bytes).`,
      errorType: 'RequestEntityTooLarge'
    }
  };
}

function send(res, reply) {
  if (res.destroyed || res.headersSent) return;
  if (reply.drop) return res.socket?.destroy();
  if (reply.raw !== undefined) return res.socket?.end(reply.raw);
  const text = typeof reply.body === 'string' || Buffer.isBuffer(reply.body);
  const body = text ? Buffer.from(reply.body) : Buffer.from(JSON.stringify(reply.body));
  const headers = { 'Content-Type': 'application/json', 'Content-Length': body.length, ...reply.headers };
  res.writeHead(reply.status, headers).end(body);
}

// The body of every refusal: 1.2.
export function refusal(status, errorType, errorMessage) {
  return { status, body: { errorMessage, errorType } };
}
