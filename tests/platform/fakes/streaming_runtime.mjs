#!/usr/bin/env node
// A runtime whose responses are streamed: the event is {pieces: [text...], times: 1, gate: URL, error: type}. Each
// piece is sent, so many times, and told in a line; then the gate is asked, which answers when the next one is due.
// `error`: so the stream ends, in place of well. A line more is written when the response is complete.

import { writeSync } from 'node:fs';
import http from 'node:http';

const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(':');
const base = `http://${host}:${port}/2018-06-01/runtime/invocation`;

const log = (requestId, message) =>
  writeSync(1, `${JSON.stringify({ timestamp: new Date().toISOString(), level: 'INFO', requestId, message })}\n`);

async function respond(requestId, { pieces, times = 1, gate, error }) {
  const headers = { 'Lambda-Runtime-Function-Response-Mode': 'streaming', 'Transfer-Encoding': 'chunked' };
  if (error) headers.Trailer = 'Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body';
  const request = http.request(`${base}/${requestId}/response`, { method: 'POST', headers });
  const answered = new Promise((resolve, reject) => {
    request.on('response', (response) => response.resume().on('end', resolve)).on('error', reject);
  });
  for (const [n, piece] of pieces.entries()) {
    log(requestId, `piece ${n}`);
    request.write(piece.repeat(times));
    await (await fetch(`${gate}${requestId}/${n}`)).text();
  }
  if (error) {
    const body = Buffer.from(JSON.stringify({ errorType: error, errorMessage: 'broken off' })).toString('base64');
    request.addTrailers({
      'Lambda-Runtime-Function-Error-Type': error,
      'Lambda-Runtime-Function-Error-Body': body
    });
  }
  request.end();
  await answered;
  log(requestId, 'complete');
}

for (;;) {
  const next = await fetch(`${base}/next`);
  await respond(next.headers.get('lambda-runtime-aws-request-id'), await next.json());
}
