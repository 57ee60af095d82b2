/*
 * S3 on loopback: TLS and signatures as with Kinesis (front.mjs), faults on demand (faults.mjs), behind
 * that s3rver, which keeps the objects in a temporary folder.
 *
 *   const s3 = await S3.start({ certificate, buckets: ['letters'] });
 *   s3.url             https://localhost:PORT: for AWS_ENDPOINT_URL_S3
 *   s3.fault = times(1, refuse(503, 'SlowDown'));
 *   s3.statistics, s3.violations, s3.refusals
 *   await s3.objects('letters')        // [{ key, type, body }], by key
 *   await s3.letters('letters')        // [{ key, data, partitionKey }], line after line
 *   await s3.stop();
 */
import { once } from 'node:events';
import { Agent, request as httpRequest } from 'node:http';
import S3rver from 's3rver';
import { Front } from './front.mjs';
import { removeFolder, temporaryFolder } from './folder.mjs';
import { values } from './http1.mjs';
import { checkSignature } from './signature.mjs';

/* What S3 calls an error that Kinesis has another name for. */
const CODES = {
  MissingAuthenticationTokenException: [403, 'AccessDenied'],
  IncompleteSignatureException: [400, 'AuthorizationHeaderMalformed'],
  UnrecognizedClientException: [403, 'InvalidAccessKeyId'],
  InvalidSignatureException: [403, 'SignatureDoesNotMatch']
};

const KEY = /^(?:.+\/)?\d{4}\/\d\d\/\d\d\/\d{8}T\d{9}Z-.+-[^-]+-\d{8}\.ndjson$/;

function escape(text) {
  return text.replace(/[<>&"']/g, (one) => `&#${one.charCodeAt(0)};`);
}

function unescape(text) {
  const names = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };
  return text.replace(/&(?:#(\d+)|#x([0-9a-f]+)|(\w+));/gi, (all, decimal, hex, name) => {
    const code = decimal ? Number(decimal) : parseInt(hex, 16);
    return name ? names[name] ?? all : String.fromCodePoint(code);
  });
}

/* The one spelling of a key in a path: all bytes but unreserved ones and the slash as %XX. */
function encoded(key) {
  return encodeURIComponent(key).replaceAll('%2F', '/')
    .replace(/[!'()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`);
}

/* The bucket and the key of a path-style request; null for anything else. */
function target(path) {
  const parts = /^\/([a-z0-9.-]{3,63})\/(.+)$/.exec(path);
  try {
    const key = parts && decodeURIComponent(parts[2]);
    return parts && encoded(key) === parts[2] ? { bucket: parts[1], key } : null;
  } catch {
    return null; /* not UTF-8 */
  }
}

export class S3 extends Front {
  #agent = new Agent({ keepAlive: true });

  contentType = 'application/xml';

  static async start({ buckets = ['letters'], ...options }) {
    const folder = await temporaryFolder('s3-');
    const store = new S3rver({
      address: '127.0.0.1', port: 0, silent: true, directory: folder, vhostBuckets: false,
      configureBuckets: buckets.map((name) => ({ name }))
    });
    const { port } = await store.run();
    const s3 = new S3({ ...options, folder, store, storePort: port });
    s3.server.listen(0, '127.0.0.1');
    await once(s3.server, 'listening');
    s3.port = s3.server.address().port;
    return s3;
  }

  /* bucketRegion: where the buckets are; elsewhere it says so, as S3 does. Other options are Front's. */
  constructor({ folder, store, storePort, bucketRegion, ...options }) {
    super(options);
    Object.assign(this, { folder, store, storePort, bucketRegion: bucketRegion ?? this.region });
    this.statistics.objects = 0;
  }

  async stop() {
    await super.stop();
    this.#agent.destroy();
    this.store.httpServer.closeAllConnections();
    await this.store.close();
    removeFolder(this.folder);
  }

  errorReply(_, code, message) {
    return {
      type: this.contentType,
      body: `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code>` +
        `<Message>${escape(message)}</Message><RequestId>x</RequestId></Error>`
    };
  }

  async handle(exchange) {
    const { request } = exchange;
    const refusal = await this.#elsewhere(request) ?? await this.#refusal(request);
    if (refusal) {
      this.refusals.push(refusal);
      const answer = exchange.error(refusal.status, refusal.type, refusal.message);
      answer.headers.push(['x-amz-bucket-region', this.bucketRegion]);
      exchange.send(answer);
      return;
    }
    const faults = this.#faults(request);
    this.violations.push(...faults);
    if (faults.length > 0) {
      exchange.send(exchange.error(400, 'InvalidRequest', faults.join('; ')));
      return;
    }
    this.#count(request);
    if (!await this.fault?.(exchange)) {
      exchange.send(await exchange.answer());
    }
  }

  /* A request that is signed for another region than the bucket's. */
  #elsewhere(request) {
    const region = /Credential=[^/]+\/\d+\/([^/]+)\//.exec(values(request, 'authorization')[0] ?? '')?.[1];
    return region === undefined || region === this.bucketRegion ? null : {
      status: 400, type: 'AuthorizationHeaderMalformed',
      message: `The authorization header is malformed; the region '${region}' is wrong; expecting '${this.bucketRegion}'`
    };
  }

  async #refusal(request) {
    const { credentials, bucketRegion: region } = this;
    const refusal = await checkSignature(request, { credentials, region, now: this.now(), service: 's3' });
    if (!refusal) {
      return null;
    }
    const skewed = /^Signature (expired|not yet)/.test(refusal.message);
    const [status, type] = skewed ? [403, 'RequestTimeTooSkewed'] : CODES[refusal.type];
    return { ...refusal, status, type };
  }

  /* What no request of the extension may be like. */
  #faults(request) {
    const faults = [];
    const { key } = target(request.path) ?? {};
    if (request.method !== 'PUT' || key === undefined) {
      faults.push(`not the PUT of an object, canonically encoded: ${request.method} ${request.path}`);
    } else if (!KEY.test(key)) {
      faults.push(`an object named ${key}`);
    }
    if (values(request, 'content-type')[0] !== 'application/x-ndjson') {
      faults.push(`Content-Type ${values(request, 'content-type')}`);
    }
    if (request.body.length > 0 && request.body.at(-1) !== 0x0a) {
      faults.push('a body without a newline at its end');
    }
    return faults;
  }

  #count(request) {
    this.statistics.objects += 1;
    this.statistics.maxBodyBytes = Math.max(this.statistics.maxBodyBytes, request.body.length);
  }

  /* What s3rver answers. Signatures are checked here, so it gets none. */
  async #ask(method, path, { headers = {}, body = '' } = {}) {
    const request = httpRequest({
      host: '127.0.0.1', port: this.storePort, agent: this.#agent, method, path,
      headers: { ...headers, 'content-length': Buffer.byteLength(body) }
    });
    request.end(body);
    const [reply] = await once(request, 'response');
    const pieces = [];
    for await (const piece of reply) {
      pieces.push(piece);
    }
    return { status: reply.statusCode, type: reply.headers['content-type'], body: Buffer.concat(pieces) };
  }

  async forward({ request: { method, path, body } }) {
    return this.#ask(method, path, { headers: { 'content-type': 'application/x-ndjson' }, body });
  }

  async #keys(bucket) {
    const { status, body } = await this.#ask('GET', `/${bucket}?max-keys=100000`);
    if (status !== 200) {
      throw new Error(`bucket ${bucket}: ${body}`);
    }
    return [...body.toString().matchAll(/<Key>(.*?)<\/Key>/gs)].map(([, key]) => unescape(key)).sort();
  }

  /* All objects of a bucket. */
  async objects(bucket) {
    const objects = [];
    for (const key of await this.#keys(bucket)) {
      const { type, body } = await this.#ask('GET', `/${bucket}/${encoded(key)}`);
      objects.push({ key, type, body });
    }
    return objects;
  }

  /* Every record in every object of a bucket, with data as bytes. */
  async letters(bucket) {
    const objects = await this.objects(bucket);
    return objects.flatMap(({ key, body }) => readLetters(body).map((one) => ({ key, ...one })));
  }
}

/* The records in lines as the extension writes them; throws when one is not as it should be. */
export function readLetters(text) {
  const lines = text.toString('utf8').split('\n');
  if (lines.pop() !== '') {
    throw new Error('no newline at the end');
  }
  return lines.map((line) => {
    const { Data, DataBase64, PartitionKey, ...others } = JSON.parse(line);
    if (typeof PartitionKey !== 'string' || Object.keys(others).length > 0 ||
      (Data === undefined) === (DataBase64 === undefined)) {
      throw new Error(`not a dead letter: ${line.slice(0, 200)}`);
    }
    const data = Data === undefined ? Buffer.from(DataBase64, 'base64') : Buffer.from(Data);
    return { data, partitionKey: PartitionKey };
  });
}
