/*
 * The listener under requests that no platform sends: the right status, no crash, nothing held, the
 * next good batch delivered.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { listening, batch, events } from './support/listening.mjs';
import { RawClient, byteByByte, chunkedRequest, request, talk } from './support/raw_client.mjs';

const CRLF = '\r\n';
const HOST = `Host: x${CRLF}`;

/* A request line, fields as they are, and the end of the head. */
function head(fields, line = 'POST / HTTP/1.1') {
  return `${line}${CRLF}${HOST}${fields.map((field) => `${field}${CRLF}`).join('')}${CRLF}`;
}

function post(...fields) {
  return head(fields);
}

function chunked(body) {
  return post('Transfer-Encoding: chunked') + body;
}

const LONG = 'x'.repeat(9_000);

/* Answered with this status and closed; nothing is delivered or counted. */
const refused = {
  400: {
    'words that are no HTTP': 'hello\r\n\r\n',
    'random bytes': randomBytes(3_000),
    zeros: Buffer.alloc(20_000),
    'a TLS handshake': Buffer.from('16030100c8010000c40303', 'hex'),
    'HTTP/2 without asking': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    'a version unknown to HTTP': head([], 'POST / HTTP/1.9'),
    'no version': 'POST /\r\n\r\n',
    'no target': 'POST  HTTP/1.1\r\n\r\n',
    'a blank before the method': ' POST / HTTP/1.1\r\n\r\n',
    'lines that end in LF': 'POST / HTTP/1.1\nHost: x\nContent-Length: 0\n\n',
    'no Host': `POST / HTTP/1.1${CRLF}Content-Length: 2${CRLF}${CRLF}[]`,
    'two Hosts': post('Content-Length: 2', 'host: x') + '[]',
    ...Object.fromEntries(['a b', 'http://x', 'x/y', 'u@x', 'x:y', 'x:65536', '[::1', '[::1]x', '\u00e4']
      .map((host) => [`the Host ${host}`, `POST / HTTP/1.1${CRLF}Host: ${host}${CRLF}Content-Length: 2${CRLF}${CRLF}[]`])),
    'a field without a colon': post('Content-Length 0'),
    'a field without a name': post(': x'),
    'a blank before the colon': post('Content-Length : 0'),
    'a folded field': post('X: a', ' b'),
    'a zero byte in a field': post('X: a\0b'),
    'a CR in a field': post('X: a\rb'),
    'both Content-Length and Transfer-Encoding': post('Content-Length: 2', 'Transfer-Encoding: chunked') + '2\r\n[]\r\n0\r\n\r\n',
    'both, the other way round': post('Transfer-Encoding: chunked', 'Content-Length: 2') + '[]',
    'two lengths that differ': post('Content-Length: 2', 'Content-Length: 3') + '[]',
    'two lengths in one field that differ': post('Content-Length: 2, 3') + '[]',
    'a negative length': post('Content-Length: -2') + '[]',
    'a length with a sign': post('Content-Length: +2') + '[]',
    'a length in hexadecimal': post('Content-Length: 0x2') + '[]',
    'a length that is a fraction': post('Content-Length: 2.0') + '[]',
    'an empty length': post('Content-Length:'),
    'a length of 2^63': post('Content-Length: 9223372036854775808') + '[]',
    'a length of 2^64 + 2': post('Content-Length: 18446744073709551618') + '[]',
    'a length of 100 digits': post(`Content-Length: ${'9'.repeat(100)}`) + '[]',
    'another transfer coding': post('Transfer-Encoding: gzip'),
    'two transfer codings': post('Transfer-Encoding: gzip, chunked'),
    'chunked twice': post('Transfer-Encoding: chunked', 'Transfer-Encoding: chunked') + '0\r\n\r\n',
    'chunked in HTTP/1.0': head(['Transfer-Encoding: chunked'], 'POST / HTTP/1.0') + '0\r\n\r\n',
    'a chunk without a size': chunked('\r\n[]\r\n0\r\n\r\n'),
    'a chunk size that is no number': chunked('two\r\n[]\r\n0\r\n\r\n'),
    'a negative chunk size': chunked('-2\r\n[]\r\n0\r\n\r\n'),
    'a chunk size with 0x': chunked('0x2\r\n[]\r\n0\r\n\r\n'),
    'a chunk size of 17 digits': chunked('10000000000000002\r\n[]\r\n0\r\n\r\n'),
    'a chunk size line that ends in LF': chunked('2\n[]\n0\n\n'),
    'a chunk longer than its size': chunked('2\r\n[  ]\r\n0\r\n\r\n'),
    'a chunk extension of 2 KB': chunked(`2;${'x'.repeat(2_000)}\r\n[]\r\n0\r\n\r\n`),
    'a zero byte in a chunk extension': chunked('2;\0\r\n[]\r\n0\r\n\r\n'),
    'trailers of 9 KB': chunked(`0\r\nX: ${LONG}\r\n\r\n`),
    'trailers that are no fields': chunked('0\r\n: x\r\n\r\n')
  },
  405: Object.fromEntries(['GET', 'PUT', 'HEAD', 'DELETE', 'OPTIONS', 'PATCH', 'post', 'M-SEARCH']
    .map((method) => [`method ${method}`, head(['Content-Length: 2'], `${method} / HTTP/1.1`) + '[]'])),
  431: {
    'a field of 9 KB': post(`X: ${LONG}`),
    'a target of 9 KB': head([], `POST /${LONG} HTTP/1.1`),
    'a head of 1 MB without end': `POST / HTTP/1.1\r\n${`X: y${CRLF}`.repeat(175_000)}`,
    'a name of 9 KB': post(`${LONG}: x`),
    '65 fields': post(...Array.from({ length: 64 }, (_, i) => `X-${i}: y`)),
    '1,000 fields': post(...Array.from({ length: 1_000 }, () => 'X:'))
  }
};

/* Answered 200, connection kept; the body is a good batch where none is given. */
const accepted = {
  'an empty body': () => request(''),
  'an empty array': () => request('[]'),
  'white space around an empty array': () => request(' \r\n\t[ \n ] \r\n'),
  'neither length nor coding': () => post(),
  'an empty body in chunks': () => chunkedRequest(''),
  'a length told twice': (body) => post(`Content-Length: ${body.length}`, `Content-Length: ${body.length}`) + body,
  'a length told twice in one field': (body) => post(`Content-Length: ${body.length}, ${body.length}`) + body,
  'a length with zeros before it': (body) => post(`Content-Length: 000${body.length}`) + body,
  'names in any case of letters': (body) => post(`cONTENT-lENGTH: ${body.length}`) + body,
  'blanks around a value': (body) => post(`Content-Length: \t ${body.length} \t`) + body,
  'an empty line before the request': (body) => CRLF + request(body),
  'another path': (body) => request(body, { target: '/telemetry/v1?x=y' }),
  'a whole URL as target': (body) => request(body, { target: 'http://sandbox.localdomain:4243/' }),
  '64 fields': (body) => request(body, { fields: Array.from({ length: 62 }, (_, i) => [`X-${i}`, 'y']) }),
  'a head of 8,000 bytes': (body) => request(body, { fields: [['X', 'y'.repeat(7_900)]] }),
  'bytes beyond ASCII in a field': (body) => request(body, { fields: [['X', '\u00e4\u00ff']] }),
  chunks: (body) => chunkedRequest(body, { size: 7 }),
  'chunks of one byte': (body) => chunkedRequest(body, { size: 1 }),
  'one chunk with zeros before its size': (body) => chunked(`${body.length.toString(16).padStart(16, '0')}\r\n${body}\r\n0\r\n\r\n`),
  'a chunk size in capitals': (body) => chunked(`${body.length.toString(16).toUpperCase()}\r\n${body}\r\n0\r\n\r\n`),
  'chunk extensions and trailers': (body) => chunkedRequest(body, { size: 50, extension: ' ;a="b c"', trailers: 'X-Sum: 1\r\nY: 2\r\n' })
};

listening((posted) => {
  for (const [status, cases] of Object.entries(refused)) {
    for (const [what, bytes] of Object.entries(cases)) {
      posted(`${status}: ${what}`, async ({ port }) => {
        const { statuses, text, closedFirst } = await talk(port, [Buffer.from(bytes)]);
        assert.deepEqual([statuses, closedFirst], [[Number(status)], true]);
        assert.equal(/\r\nAllow: POST\r\n/.test(text), status === '405');
      });
    }
  }

  for (const [what, make] of Object.entries(accepted)) {
    posted(`200: ${what}`, async (target) => {
      const list = events(what);
      const bytes = make(batch(list));
      const { statuses, closedFirst } = await talk(target.port, [bytes]);
      assert.deepEqual([statuses, closedFirst], [[200], false]);
      target.expects(make.length > 0 ? list : []);
    });

    posted(`200: ${what}, a byte at a time`, async (target) => {
      const list = events(`slow ${what}`);
      const { statuses } = await talk(target.port, byteByByte(make(batch(list))));
      assert.deepEqual(statuses, [200]);
      target.expects(make.length > 0 ? list : []);
    });
  }

  posted('400: a bad chunk behind a good one, whose events stay', async (target) => {
    const list = events('before a bad chunk');
    const part = `[${list.join(',')},`;
    const { statuses } = await talk(target.port, [chunked(`${part.length.toString(16)}\r\n${part}\r\nxyz\r\n`)]);
    assert.deepEqual(statuses, [400]);
    target.expects(list);
  });

  posted('keep-alive: 100 requests on one connection', async (target) => {
    const client = await RawClient.connect(target.port);
    for (let i = 0; i < 100; i += 1) {
      const list = events(`kept ${i}`);
      await client.write(i % 2 === 0 ? request(batch(list)) : chunkedRequest(batch(list)));
      await client.replies(i + 1);
      target.expects(list);
    }
    assert.deepEqual([client.statuses, client.ended], [Array(100).fill(200), false]);
    client.destroy();
  });

  posted('pipelined: 100 requests in one write, and half of another', async (target) => {
    const lists = Array.from({ length: 100 }, (_, i) => events(`pipelined ${i}`, i % 4));
    const requests = lists.map((list, i) => (i % 2 === 0 ? request : chunkedRequest)(batch(list)));
    const client = await RawClient.connect(target.port);
    await client.write(Buffer.concat([...requests, request('[]').subarray(0, 10)]));
    await client.replies(100);
    client.end();
    await client.peerCloses();
    assert.deepEqual(client.statuses, Array(100).fill(200));
    target.expects(lists.flat());
  });

  posted('pipelined: what follows a bad request is not looked at', async (target) => {
    const list = events('before a bad request');
    const lost = events('behind a bad request');
    const { statuses } = await talk(target.port, [Buffer.concat([
      request(batch(list)), Buffer.from('BAD\r\n\r\n'), request(batch(lost))
    ])], { replies: 2 });
    assert.deepEqual(statuses, [200, 400]);
    target.expects(list);
  });

  for (const [what, options, closes] of [
    ['Connection: close', { fields: [['Connection', 'close']] }, true],
    ['Connection: keep-alive, Close', { fields: [['Connection', 'keep-alive, Close']] }, true],
    ['HTTP/1.0', { version: '1.0' }, true],
    ['HTTP/1.0 with keep-alive', { version: '1.0', fields: [['Connection', 'keep-alive']] }, false]
  ]) {
    posted(`200 and ${closes ? 'closed' : 'kept'}: ${what}`, async (target) => {
      const list = events(what);
      const { statuses, closedFirst } = await talk(target.port, [request(batch(list), options)]);
      assert.deepEqual([statuses, closedFirst], [[200], closes]);
      target.expects(list);
    });
  }

  posted('Expect: 100-continue is answered before the body comes', async (target) => {
    const list = events('expected');
    const body = batch(list);
    const client = await RawClient.connect(target.port);
    await client.write(post('Expect: 100-continue', `Content-Length: ${body.length}`));
    await client.replies(1);
    await client.write(body);
    await client.replies(2);
    client.destroy();
    assert.deepEqual(client.statuses, [100, 200]);
    target.expects(list);
  });

  posted('Expect in HTTP/1.0 is none', async (target) => {
    const list = events('not expected');
    const fields = [['Expect', '100-continue']];
    const { statuses } = await talk(target.port, [request(batch(list), { version: '1.0', fields })]);
    assert.deepEqual(statuses, [200]);
    target.expects(list);
  });

  /* The sender's other half is open: it closes as soon as it has written. */
  posted('200 for a sender that has closed its side', async (target) => {
    const list = events('half closed');
    const client = await RawClient.connect(target.port);
    client.socket.end(request(batch(list)));
    await client.peerCloses();
    assert.deepEqual(client.statuses, [200]);
    target.expects(list);
  });

  /* Nobody is answered. Events that were whole may stay: the platform would send all of it again. */
  const body = batch(events('truncated')).length;
  const whole = request(batch(events('truncated'))).length;
  for (const at of [1, 20, 60, whole - body, whole - body + 1, whole - body / 2 | 0, whole - 1]) {
    for (const how of ['end', 'destroy', 'reset']) {
      posted(`truncated after ${at} bytes of ${whole}, ${how}`, async (target) => {
        const list = events('truncated'.slice(0, -how.length) + how);
        const client = await RawClient.connect(target.port);
        await client.write(request(batch(list)).subarray(0, at));
        client[how]();
        await client.peerCloses();
        assert.deepEqual(client.statuses, []);
        target.tolerates(list);
      });
    }
  }
});
