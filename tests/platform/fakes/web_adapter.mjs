#!/usr/bin/env node
// What the Lambda Web Adapter does, as an external extension of the name lambda-adapter: it registers for no event and
// waits for one that never comes; looks every 10 ms whether the web server, which is what Lambda starts as the runtime,
// is ready; then asks the Runtime API for events itself, gives each to the server, as POST /events what is no request
// of HTTP, and its answer to the API. AWS_LWA_PORT is the server's; AWS_LWA_INVOKE_MODE=response_stream: streams it.

import { writeSync } from 'node:fs';
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

const api = `http://${process.env.AWS_LAMBDA_RUNTIME_API}`;
const web = `http://127.0.0.1:${process.env.AWS_LWA_PORT}`;
const streams = process.env.AWS_LWA_INVOKE_MODE === 'response_stream';

async function register() {
  const reply = await fetch(`${api}/2020-01-01/extension/register`, {
    method: 'POST',
    headers: { 'Lambda-Extension-Name': 'lambda-adapter' },
    body: '{ "events": [] }'
  });
  if (!reply.ok) process.exit(1);
  const headers = { 'Lambda-Extension-Identifier': reply.headers.get('lambda-extension-identifier') };
  http.get(`${api}/2020-01-01/extension/event/next`, { headers }).on('error', () => {});
}

async function ready() {
  const well = () => fetch(`${web}/`).then(({ status }) => status < 500, () => false);
  while (!(await well())) await sleep(10);
}

// What the answer has besides its body comes first, and behind it eight zeros.
const prelude = ({ status, headers }) =>
  `${JSON.stringify({ statusCode: status, headers: Object.fromEntries(headers), cookies: [] })}${'\0'.repeat(8)}`;

async function pass(requestId, answer) {
  const path = `${api}/2018-06-01/runtime/invocation/${requestId}/response`;
  if (!streams) {
    const body = JSON.stringify({ statusCode: answer.status, body: await answer.text(), isBase64Encoded: false });
    await (await fetch(path, { method: 'POST', body })).text();
    return;
  }
  const headers = {
    'Content-Type': 'application/vnd.awslambda.http-integration-response',
    'Lambda-Runtime-Function-Response-Mode': 'streaming',
    'Transfer-Encoding': 'chunked'
  };
  const request = http.request(path, { method: 'POST', headers });
  const answered = new Promise((resolve) => request.on('response', (response) => response.resume().on('end', resolve)));
  request.write(prelude(answer));
  for await (const piece of answer.body) request.write(piece);
  request.end();
  await answered;
}

await register();
await ready();
for (;;) {
  const next = await fetch(`${api}/2018-06-01/runtime/invocation/next`);
  const requestId = next.headers.get('lambda-runtime-aws-request-id');
  const context = JSON.stringify({ request_id: requestId });
  writeSync(1, `adapter ${requestId}\n`);
  const headers = { 'x-amzn-lambda-context': context };
  await pass(requestId, await fetch(`${web}/events`, { method: 'POST', headers, body: await next.text() }));
}
