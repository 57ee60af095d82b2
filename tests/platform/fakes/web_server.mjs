#!/usr/bin/env node
// A web server that knows nothing of Lambda, for the adapter beside it. POST /events has {pieces: [text...], gate:
// URL}: see streaming_runtime.mjs; its last line is written when the answer has left it. Upon SIGTERM it says so, and
// ends.

import { writeSync } from 'node:fs';
import http from 'node:http';

const print = (message) => writeSync(1, `${message}\n`);

async function answer(req, res) {
  const chunks = [];
  for await (const chunk of req) chunks.push(chunk);
  if (req.url !== '/events') return void res.end('ready');
  const { request_id: requestId } = JSON.parse(req.headers['x-amzn-lambda-context']);
  const { pieces, gate } = JSON.parse(Buffer.concat(chunks).toString());
  res.on('finish', () => print(`${requestId} complete`));
  for (const [n, piece] of pieces.entries()) {
    print(`${requestId} piece ${n}`);
    res.write(piece);
    if (gate) await (await fetch(`${gate}${requestId}/${n}`)).text();
  }
  res.end();
}

process.once('SIGTERM', () => {
  print('drained');
  process.exit(0);
});
http.createServer(answer).listen(Number(process.env.AWS_LWA_PORT), '127.0.0.1');
