/*
 * A Kinesis endpoint on loopback: TLS as AWS offers it, signatures checked as AWS checks them, the
 * limits watched, faults on demand; what remains of a request goes to kinesis-local.
 *
 *   const front = await Front.start({ kinesis, certificate });
 *   front.url          https://localhost:PORT (http:// with plain: true)
 *   front.fault = failRecords(0.3);            // see faults.mjs
 *   front.replies = 'json';                    // to requests in CBOR too; see wire.mjs for the others
 *   front.keyless = 'taken';                   // records need no partition key
 *   front.statistics, front.violations, front.refusals, front.tlsErrors
 *   await front.stop();
 */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { Agent } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { BadRequest, RequestReader, reply as wholeReply, values } from './http1.mjs';
import { forward, isKeyless, parsePutRecords, recordBytes, resultsReply } from './put_records.mjs';
import { checkSignature } from './signature.mjs';
import { TYPES, decode, encode, formOf } from './wire.mjs';

/* What AWS endpoints negotiate with a TLS 1.2 client. */
const CIPHERS = [
  'ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384', 'ECDHE-RSA-AES256-GCM-SHA384'
].join(':');

export const CREDENTIALS = {
  accessKeyId: 'AKIDFRONT', secretAccessKey: 'front/secret+key', sessionToken: 'front//session+token=='
};

/* What a dry run gets in which nothing is wrong. Source: Kinesis developer guide, DryRun. */
const DRY_RUN = ['DryRunOperationException', 'Request would have succeeded, but DryRun flag is set.'];

function statistics() {
  return {
    connections: 0, handshakes: 0, resumed: 0, requests: 0, inCbor: 0, keyless: 0, records: 0, failedRecords: 0,
    maxRecords: 0, maxBytes: 0, maxBodyBytes: 0, partitionKeys: new Map(), streams: new Set(), ciphers: new Set(),
    serverNames: new Set()
  };
}

/* One request and what a fault may do with it. */
class Exchange {
  constructor(front, socket, connection, request) {
    Object.assign(this, { front, socket, connection, request });
    front.statistics.requests += 1;
    this.number = front.statistics.requests;
    /* 'cbor' or 'json'; null for another content type. */
    this.form = formOf(request);
    front.statistics.inCbor += this.form === 'cbor' ? 1 : 0;
    this.leaving = values(request, 'connection').some((value) => /\bclose\b/i.test(value));
    /* Index of a record to the result that it is to get; such records are not forwarded. */
    this.failing = new Map();
    this.closing = false;
  }

  /* What the front's own replies are in. */
  get replyForm() {
    return this.form === 'cbor' ? this.front.replies ?? 'cbor' : 'json';
  }

  /* Lets kinesis-local answer: { status, headers, body }. */
  async answer() {
    const { status, type, body } = await this.front.forward(this);
    if (this.front.replies && type === TYPES.cbor) {
      return this.framed(status, TYPES[this.replyForm], encode(decode(body, 'cbor'), this.replyForm));
    }
    return this.framed(status, type ?? this.front.contentType, body);
  }

  /* An answer of these results, one for each record. */
  results(records) {
    const { status, type, body } = resultsReply(this.replyForm, records);
    return this.framed(status, type, body);
  }

  framed(status, type, body) {
    const headers = [
      ['x-amzn-RequestId', randomUUID()], ['x-amz-id-2', Buffer.from(randomUUID()).toString('base64')],
      ['Date', new Date(this.front.now()).toUTCString()], ['Content-Type', type]
    ];
    return { status, headers, body };
  }

  error(status, type, message) {
    const reply = this.front.errorReply(this, type, message);
    return this.framed(status, reply.type, reply.body);
  }

  send(answer) {
    this.socket.write(wholeReply(answer));
  }

  /* Nothing more on this connection: `how` is 'end', 'destroy' or 'reset'. */
  close(how = 'end') {
    this.closing = true;
    if (how === 'end') {
      this.socket.end();
    } else if (how === 'reset') {
      this.front.tcp(this.socket).resetAndDestroy();
    } else {
      this.socket.destroy();
    }
  }
}

export class Front {
  /* TCP connections by the client's port. */
  #sockets = new Map();
  #agent = new Agent({ keepAlive: true });
  #tls = null;

  static async start(options) {
    const front = new Front(options);
    await front.listen();
    return front;
  }

  /*
   * kinesis      the server behind; null for tests in which no request may get through
   * certificate  { cert, key }, unless plain
   * plain        true: http
   * host, port   where it listens; any free port of 127.0.0.1 unless told
   * maxVersion, minVersion, ciphers   as in node:tls
   * sessions     a Map in which it keeps TLS sessions, by id in hexadecimal; without it none is ever resumed
   */
  constructor({ kinesis = null, certificate, plain = false, credentials = CREDENTIALS, region = 'us-east-1',
    host = '127.0.0.1', port = 0, maxVersion = 'TLSv1.2', minVersion = 'TLSv1.2', ciphers = CIPHERS,
    sessions = null }) {
    Object.assign(this, { kinesis, plain, credentials, region, host, port, sessions });
    /* (exchange) => true when it has answered by itself; see faults.mjs. */
    this.fault = null;
    /* The form of all replies to requests in CBOR: 'cbor', 'definite' or 'json'. null: kinesis-local's
     * go through as they are, which is definite, and the front's own are in the indefinite form. */
    this.replies = null;
    /* What becomes of records without keys: null, it is a violation; 'taken', as by a stream whose record distribution
     * is AUTO; a fault, by which calls of them are refused. */
    this.keyless = null;
    /* (socket) => true when it has dealt with a new connection, before TLS. */
    this.connectionFault = null;
    /* This server's clock, relative to the machine's. */
    this.clockOffsetMs = 0;
    this.statistics = statistics();
    this.violations = [];
    this.refusals = [];
    this.tlsErrors = [];
    this.server = createTcpServer((socket) => this.#accept(socket));
    if (!plain) {
      this.#tls = createTlsServer({ ...certificate, maxVersion, minVersion, ciphers },
        (socket) => this.#secured(socket));
      this.#tls.on('tlsClientError', (error) => this.tlsErrors.push(error.code ?? error.message));
      if (sessions) {
        this.#resumeFrom(sessions);
      }
    }
  }

  /* Takes connections; again after refuse(), on the same port. */
  async listen() {
    this.server.listen(this.port, this.host);
    await once(this.server, 'listening');
    this.port = this.server.address().port;
  }

  /* Refuses new connections; open ones stay. */
  refuse() {
    this.server.close();
  }

  get url() {
    return `${this.plain ? 'http' : 'https'}://localhost:${this.port}`;
  }

  contentType = TYPES.json;

  errorReply({ replyForm }, type, message) {
    return { type: TYPES[replyForm], body: encode({ __type: type, message }, replyForm) };
  }

  now() {
    return Date.now() + this.clockOffsetMs;
  }

  /* Connections from now on are shown this certificate. */
  useCertificate({ cert, key }) {
    this.#tls.setSecureContext({ cert, key });
  }

  /* Ends every open connection as a server does with idle ones; `how` is 'end', 'destroy' or 'reset'. */
  closeConnections(how = 'end') {
    for (const socket of this.#sockets.values()) {
      if (how === 'end') {
        socket.end();
      } else if (how === 'reset') {
        socket.resetAndDestroy();
      } else {
        socket.destroy();
      }
    }
  }

  get openConnections() {
    return this.#sockets.size;
  }

  /* The TCP socket below a TLS socket. */
  tcp(socket) {
    return this.#sockets.get(socket.remotePort);
  }

  async stop() {
    this.closeConnections('destroy');
    this.#agent.destroy();
    this.server.close();
    await once(this.server, 'close');
  }

  async forward(exchange) {
    this.statistics.failedRecords += exchange.failing.size;
    return forward(exchange, { port: this.kinesis.plainPort, agent: this.#agent });
  }

  #resumeFrom(sessions) {
    this.#tls.on('newSession', (id, session, done) => {
      sessions.set(id.toString('hex'), session);
      done();
    });
    this.#tls.on('resumeSession', (id, done) => done(null, sessions.get(id.toString('hex')) ?? null));
  }

  #accept(socket) {
    this.statistics.connections += 1;
    const { remotePort } = socket;
    this.#sockets.set(remotePort, socket);
    socket.on('close', () => this.#sockets.delete(remotePort));
    socket.on('error', () => {});
    socket.setNoDelay(true);
    if (this.connectionFault?.(socket)) {
      return;
    }
    if (this.plain) {
      this.#serve(socket);
    } else {
      this.#tls.emit('connection', socket);
    }
  }

  #secured(socket) {
    this.statistics.handshakes += 1;
    this.statistics.resumed += socket.isSessionReused() ? 1 : 0;
    this.statistics.ciphers.add(`${socket.getProtocol()} ${socket.getCipher().name}`);
    this.statistics.serverNames.add(socket.servername);
    socket.on('error', () => {});
    this.#serve(socket);
  }

  async #serve(socket) {
    const connection = this.statistics.connections;
    const reader = new RequestReader(socket);
    try {
      let request = await reader.next();
      while (request) {
        const exchange = new Exchange(this, socket, connection, request);
        await this.handle(exchange);
        if (exchange.closing) {
          return; /* the fault decides how the connection ends */
        }
        request = exchange.leaving ? null : await reader.next();
      }
    } catch (error) {
      this.#broken(socket, error);
    }
    socket.end();
  }

  /* A client that goes away is ordinary; one that writes what is not HTTP is a violation. */
  #broken(socket, error) {
    if (error instanceof BadRequest) {
      this.violations.push(`not HTTP/1.1: ${error.message}`);
      socket.write(wholeReply({ status: 400, headers: [['Connection', 'close']] }));
    } else if (!['ECONNRESET', 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE', 'ABORT_ERR'].includes(error.code)) {
      this.violations.push(`in the front: ${error.stack}`);
    }
  }

  /* From here on it is Kinesis; s3.mjs puts S3 in its place. */
  async handle(exchange) {
    const { request } = exchange;
    const { credentials, region } = this;
    const refusal = await checkSignature(request, { credentials, region, now: this.now() });
    if (refusal) {
      this.refusals.push(refusal);
      exchange.send(exchange.error(refusal.status, refusal.type, refusal.message));
      return;
    }
    const { call, faults } = parsePutRecords(request, { keyless: this.keyless !== null });
    this.violations.push(...faults);
    if (!call || faults.length > 0) {
      exchange.send(exchange.error(400, 'ValidationException', faults.join('; ')));
      return;
    }
    exchange.call = call;
    this.#count(call, request);
    const refuse = isKeyless(call) && this.keyless !== 'taken' ? this.keyless : null;
    if (await refuse?.(exchange) || await this.fault?.(exchange)) {
      return;
    }
    exchange.send(call.DryRun ? exchange.error(400, ...DRY_RUN) : await exchange.answer());
  }

  #count({ StreamName, StreamARN, Records }, request) {
    const counts = this.statistics;
    counts.keyless += isKeyless({ Records }) ? 1 : 0;
    counts.records += Records.length;
    counts.maxRecords = Math.max(counts.maxRecords, Records.length);
    counts.maxBytes = Math.max(counts.maxBytes, Records.reduce((sum, one) => sum + recordBytes(one), 0));
    counts.maxBodyBytes = Math.max(counts.maxBodyBytes, request.body.length);
    counts.streams.add(StreamARN ?? StreamName);
    for (const { PartitionKey } of Records.filter((one) => one.PartitionKey !== undefined)) {
      counts.partitionKeys.set(PartitionKey, (counts.partitionKeys.get(PartitionKey) ?? 0) + 1);
    }
  }
}
