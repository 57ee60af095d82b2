// Writes vectors/sigv4/<case>/: what is to be signed, and each step of signing it as AWS's own
// signer for JavaScript does. Run by hand when a case is added: node sigv4_vectors.mjs
//
//   request.json     stamp, credentials, region, service, method, path and query as they are signed,
//                    fields sorted by name
//   body             the request's body
//   canonical, string_to_sign, signing_key (hex), signature, authorization
import { createHash } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Sha256 } from '@aws-crypto/sha256-js';
import { HttpRequest } from '@smithy/protocol-http';
import { SignatureV4 } from '@smithy/signature-v4';

const top = fileURLToPath(new URL('vectors/sigv4/', import.meta.url));

const accessKey = 'AKIDEXAMPLE';
const secretKey = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY';

// Printable and always the same, as tokens look.
const filler = (len) => {
  let text = '';
  for (let i = 0; text.length < len; i++)
    text += createHash('sha256').update(`token ${i}`).digest('base64').slice(0, 43);
  return text.slice(0, len);
};

const kinesis = (region, suffix = 'amazonaws.com') => ({
  host: `kinesis.${region}.${suffix}`,
  'content-type': 'application/x-amz-json-1.1',
  'x-amz-target': 'Kinesis_20131202.PutRecords'
});
const hello = '{"StreamName":"s1","Records":[{"Data":"aGVsbG8=","PartitionKey":"pk"}]}';

// path and query: as signed; signerPath and signerQuery: what the signer makes them from.
const cases = {
  kinesis_token: { token: 'TOKENEXAMPLE', headers: kinesis('us-east-1'), body: hello },
  kinesis_no_token: { headers: kinesis('us-east-1'), body: hello },
  kinesis_long_token: { token: filler(12000), headers: kinesis('eu-central-1'), body: hello, region: 'eu-central-1' },
  kinesis_last_second: {
    date: '2026-12-31T23:59:59Z',
    token: filler(900),
    region: 'cn-north-1',
    headers: kinesis('cn-north-1', 'amazonaws.com.cn'),
    body: hello
  },
  kinesis_cbor: {
    date: '2024-02-29T00:00:00Z',
    token: filler(2048),
    region: 'eusc-de-east-1',
    headers: { ...kinesis('eusc-de-east-1', 'amazonaws.eu'), 'content-type': 'application/x-amz-cbor-1.1' },
    body: Buffer.from('bf6a53747265616d4e616d65627331675265636f7264739fbf64446174614568656c6c6f6c506172746974696f6e4b657962706bffffff', 'hex')
  },
  inner_spaces: {
    headers: {
      ...kinesis('us-east-1'),
      'x-amz-meta-a': '  two  and   three ',
      'x-amz-meta-b': '\ttabs\t \tand spaces',
      'x-amz-meta-c': '',
      'x-amz-meta-d': '   ',
      'x-amz-meta-e': '"quoted  text"'
    },
    body: hello
  },
  local_port: { headers: { ...kinesis('us-east-1'), host: '127.0.0.1:4567' }, body: '{}' },
  sqs: {
    service: 'sqs',
    region: 'us-gov-west-1',
    token: 'T',
    headers: {
      host: 'sqs.us-gov-west-1.amazonaws.com',
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': 'AmazonSQS.SendMessageBatch'
    },
    body: '{"QueueUrl":"q","Entries":[]}'
  },
  firehose: {
    service: 'firehose',
    region: 'ap-southeast-2',
    headers: {
      host: 'firehose.ap-southeast-2.amazonaws.com',
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': 'Firehose_20150804.PutRecordBatch'
    },
    body: ''
  },
  s3_put: {
    service: 's3',
    method: 'PUT',
    token: filler(1500),
    path: '/prefix/2026/11/20/a%20b%2Bc%C3%A4.ndjson.gz',
    headers: {
      host: 'bucket.s3.us-east-1.amazonaws.com',
      'content-type': 'application/x-ndjson',
      'if-none-match': '*',
      'x-amz-content-sha256': createHash('sha256').update('line\n').digest('hex')
    },
    body: 'line\n'
  },
  s3_query: {
    service: 's3',
    method: 'GET',
    path: '/',
    query: 'delimiter=%2F&list-type=2&prefix=a%20b%2F%C3%A4%2B~&uploads=',
    signerQuery: { uploads: '', prefix: 'a b/ä+~', 'list-type': '2', delimiter: '/' },
    headers: {
      host: 'bucket.s3.us-east-1.amazonaws.com',
      'x-amz-content-sha256': createHash('sha256').digest('hex')
    },
    body: ''
  },
  lambda_path: {
    service: 'lambda',
    method: 'GET',
    path: '/2015-03-31/functions/arn%253Aaws%253Alambda%2520x/versions',
    signerPath: '/2015-03-31/functions/arn%3Aaws%3Alambda%20x/versions',
    query: 'MaxItems=1',
    signerQuery: { MaxItems: '1' },
    headers: { host: 'lambda.us-east-1.amazonaws.com' },
    body: ''
  },
  // with "AWS4" before it, the key of HMAC fills its block, and goes beyond it
  secret_of_60: { secretKey: filler(60), headers: kinesis('us-east-1'), body: hello },
  secret_of_61: { secretKey: filler(61), headers: kinesis('us-east-1'), body: hello }
};

class Steps extends SignatureV4 {
  createCanonicalRequest(...args) {
    return (this.canonical = super.createCanonicalRequest(...args));
  }

  async createStringToSign(...args) {
    return (this.stringToSign = await super.createStringToSign(...args));
  }
}

const same = (what, got, want) => {
  if (got !== want) throw new Error(`${what}: the signer made ${got}, the case says ${want}`);
};

const write = async (name, c) => {
  const { method = 'POST', path = '/', query = '', region = 'us-east-1', service = 'kinesis' } = c;
  const credentials = { accessKeyId: accessKey, secretAccessKey: c.secretKey ?? secretKey, sessionToken: c.token };
  const date = new Date(c.date ?? '2015-08-30T12:36:00Z');
  const signer = new Steps({
    credentials,
    region,
    service,
    sha256: Sha256,
    applyChecksum: false,
    uriEscapePath: service !== 's3'
  });
  const request = new HttpRequest({
    method,
    hostname: c.headers.host,
    path: c.signerPath ?? path,
    query: c.signerQuery ?? {},
    headers: { ...c.headers },
    body: c.body
  });
  const { headers } = await signer.sign(request, { signingDate: date });
  const { authorization, ...signed } = headers;
  const stamp = signed['x-amz-date'];
  const key = await signer.getSigningKey(credentials, region, stamp.slice(0, 8));
  const [, signedPath, signedQuery] = signer.canonical.split('\n');
  same(name, signedPath, path);
  same(name, signedQuery, query);

  const fields = Object.entries(signed).sort(([a], [b]) => (a < b ? -1 : 1));
  const files = {
    'request.json': JSON.stringify(
      { stamp, accessKey, secretKey: credentials.secretAccessKey, region, service, method, path, query, fields },
      null,
      2
    ) + '\n',
    body: c.body,
    canonical: signer.canonical,
    string_to_sign: signer.stringToSign,
    signing_key: Buffer.from(key).toString('hex'),
    signature: authorization.match(/Signature=(.*)$/)[1],
    authorization
  };
  mkdirSync(top + name, { recursive: true });
  for (const [file, content] of Object.entries(files)) writeFileSync(`${top}${name}/${file}`, content);
};

rmSync(top, { recursive: true, force: true });
for (const [name, c] of Object.entries(cases)) await write(name, c);
console.log(`${Object.keys(cases).length} cases in ${top}`);
