/*
 * AWS Signature Version 4 from the server's side: the signature is computed once more with AWS's own
 * signer, from the headers that arrived, and compared.
 *
 *   const refusal = await checkSignature(request, { credentials, region, now, service: 's3' });
 *   // null, or { status, type, message } as Kinesis, the service unless told otherwise, words it
 */
import { createHash, createHmac } from 'node:crypto';
import { HttpRequest } from '@smithy/protocol-http';
import { SignatureV4 } from '@smithy/signature-v4';
import { values } from './http1.mjs';

/* How far X-Amz-Date may be from the server's clock. */
const SKEW_MS = 5 * 60 * 1000;

const AUTHORIZATION = new RegExp('^AWS4-HMAC-SHA256 ' +
  'Credential=([^/,]+)/(\\d{8})/([^/,]+)/([^/,]+)/aws4_request, ?' +
  'SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})$');

/* The signer takes a hash as a class; OpenSSL's is quick enough for bodies of several MiB. */
class Sha256 {
  constructor(secret) {
    this.hash = secret ? createHmac('sha256', secret) : createHash('sha256');
  }

  update(bytes) {
    this.hash.update(bytes);
  }

  async digest() {
    return this.hash.digest();
  }
}

function refuse(type, message, status = 400) {
  return { status, type, message };
}

/* 20261120T100000Z to milliseconds; NaN for anything else. */
function amzDate(text) {
  const parts = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text ?? '');
  return parts ? Date.parse(`${parts[1]}-${parts[2]}-${parts[3]}T${parts[4]}:${parts[5]}:${parts[6]}Z`) : NaN;
}

/* Host and all of x-amz-* have to be covered, and only what was sent can be. */
function badHeaderList(request, signed) {
  const sent = new Set(request.headers.map(([name]) => name.toLowerCase()));
  const needed = [...sent].filter((name) => name === 'host' || name.startsWith('x-amz-'));
  const absent = needed.find((name) => !signed.includes(name));
  const unknown = signed.find((name) => !sent.has(name));
  const twice = signed.find((name) => values(request, name).length > 1);
  const order = signed.join(';') !== [...signed].sort().join(';') ? 'not sorted' : null;
  return absent ?? unknown ?? twice ?? order;
}

function badScope({ date, region, service }, request, expected) {
  const { now } = expected;
  const stamp = values(request, 'x-amz-date')[0];
  const time = amzDate(stamp);
  if (Number.isNaN(time) || stamp.slice(0, 8) !== date) {
    return `Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '${stamp}'.`;
  }
  if (time < now - SKEW_MS) {
    return `Signature expired: ${stamp} is now earlier than ${new Date(now - SKEW_MS).toISOString()}`;
  }
  if (time > now + SKEW_MS) {
    return `Signature not yet current: ${stamp} is still later than ${new Date(now + SKEW_MS).toISOString()}`;
  }
  if (region !== expected.region || service !== expected.service) {
    return `Credential should be scoped to a valid region, not '${region}/${service}'.`;
  }
  return null;
}

async function signature(request, signed, date, { credentials, region, service }) {
  const signer = new SignatureV4({
    credentials, region, service, sha256: Sha256, applyChecksum: false,
    /* S3 alone signs the path as it is sent; all others encode it once more. */
    uriEscapePath: service !== 's3'
  });
  const headers = Object.fromEntries(signed.map((name) => [name, values(request, name)[0]]));
  const { headers: made } = await signer.sign(
    new HttpRequest({ method: request.method, path: request.path, headers, body: request.body }),
    { signingDate: new Date(date), signableHeaders: new Set(signed) });
  return made.authorization;
}

/* Only S3 needs `x-amz-content-sha256`; the signer believes it, so it is checked here. */
function wrongBodyHash(request, { service }) {
  const [told] = values(request, 'x-amz-content-sha256');
  return (told !== undefined || service === 's3') && told !== createHash('sha256').update(request.body).digest('hex');
}

export async function checkSignature(request, { service = 'kinesis', ...rest }) {
  const expected = { service, ...rest };
  const [authorization] = values(request, 'authorization');
  if (!authorization) {
    return refuse('MissingAuthenticationTokenException', 'Missing Authentication Token');
  }
  const parts = AUTHORIZATION.exec(authorization);
  if (!parts) {
    return refuse('IncompleteSignatureException', `Authorization header is not as expected: ${authorization}`);
  }
  const [, accessKey, date, region, scoped, list, sent] = parts;
  const [token] = values(request, 'x-amz-security-token');
  if (accessKey !== expected.credentials.accessKeyId || token !== expected.credentials.sessionToken) {
    return refuse('UnrecognizedClientException', 'The security token included in the request is invalid.');
  }
  const signed = list.split(';');
  const wrong = badHeaderList(request, signed);
  if (wrong) {
    return refuse('InvalidSignatureException', `Signed headers are not as expected: ${wrong}`);
  }
  const scope = badScope({ date, region, service: scoped }, request, expected);
  if (scope) {
    return refuse('InvalidSignatureException', scope);
  }
  const made = await signature(request, signed, amzDate(values(request, 'x-amz-date')[0]), expected);
  if (wrongBodyHash(request, expected) || AUTHORIZATION.exec(made)?.[6] !== sent) {
    return refuse('InvalidSignatureException', 'The request signature we calculated does not match the ' +
      'signature you provided. Check your AWS Secret Access Key and signing method.');
  }
  return null;
}
