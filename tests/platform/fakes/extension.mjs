#!/usr/bin/env node
// A tiny extension for the platform's own tests. Its name is that of the entry it was started from; what it does
// is told by the variable FAKE, a JSON object: {name: {...}}:
//
//   before       calls made first: [{method, path, headers, body}]; '$ID' in a header is the identifier so far
//   name         register under another name
//   registerOnce exit with 3 when the first registration is refused; otherwise it is tried until it works
//   features     Lambda-Extension-Accept-Feature of the registration
//   events       what to register for; null: do not register
//   subscribe    null, or {schemaVersion, types, buffering, path, protocol}; merged over defaults
//   calls        calls made after the subscription
//   statuses     what the listener answers to the first POSTs ('drop': cut); then 200
//   hasty        the listener answers as soon as it has the head
//   silent       the listener never answers
//   heldPosts    so many POSTs, the first ones, are answered only upon SIGUSR2 (release() of the harness)
//   echoes       says of each POST that it came, and no more: who subscribes to its own lines gets this one, too
//   tally        says what it was posted at SHUTDOWN only: who subscribes to its own lines must not add to them
//   linger       call next only once platform.runtimeDone has come
//   onInvoke, onShutdown   {exit: code} | {hang: true} | {sayPid: true}, then hang |
//                          {untilPosted: number of events} | {call: {...}}
//   abandonsNext breaks off its first next once it is pending, and asks again
//   exit         exit with this code instead of calling next
//   print        lines to write at start
//
// It says what happens in JSON lines on stdout: {"did": ..., ...}.

import { writeSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';

const name = path.basename(process.argv[1]);
const fake = JSON.parse(process.env.FAKE ?? '{}')[name] ?? {};
const api = `http://${process.env.AWS_LAMBDA_RUNTIME_API}`;
const agent = new http.Agent({ keepAlive: true });
let identifier = null;
const tally = [];
let runtimeDone = 0;
let runtimeDoneWait = () => {};
let posted = 0;
let postedWait = () => {};

// Blocking, so that nothing is lost at exit.
const print = (line) => writeSync(1, `${line}\n`);
const say = (did, more = {}) => print(JSON.stringify({ did, ...more }));

function call({ method = 'GET', path: where, headers = {}, body }) {
  const filled = Object.fromEntries(
    Object.entries(headers).map(([key, value]) => [key, value === '$ID' ? identifier : value])
  );
  return new Promise((resolve) => {
    const request = http.request(`${api}${where}`, { method, headers: filled, agent }, async (response) => {
      const chunks = [];
      for await (const chunk of response) chunks.push(chunk);
      resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks).toString() });
    });
    request.on('error', (error) => resolve({ status: error.code, headers: {}, body: '' }));
    request.end(body);
  });
}

const forever = () => new Promise((resolve) => setTimeout(resolve, 3600000));

async function register() {
  for (;;) {
    const reply = await call({
      method: 'POST',
      path: '/2020-01-01/extension/register',
      headers: { 'Lambda-Extension-Name': fake.name ?? name, 'Lambda-Extension-Accept-Feature': fake.features ?? '' },
      body: JSON.stringify({ events: fake.events ?? ['INVOKE', 'SHUTDOWN'] })
    });
    say('register', { status: reply.status, body: reply.body });
    if (reply.status !== 200 && fake.registerOnce) process.exit(3);
    if (reply.status !== 200) continue;
    identifier = reply.headers['lambda-extension-identifier'];
    return;
  }
}

function take(body) {
  const events = JSON.parse(body);
  posted += events.length;
  postedWait();
  if (events.some((event) => event.type === 'platform.runtimeDone')) {
    runtimeDone += 1;
    runtimeDoneWait();
  }
}

async function listen() {
  const statuses = [...(fake.statuses ?? [])];
  let held = fake.heldPosts ?? 0;
  const server = http.createServer(async (req, res) => {
    if (fake.hasty) return void res.writeHead(200).end();
    const chunks = [];
    for await (const chunk of req) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const status = statuses.shift() ?? 200;
    if (held > 0) {
      held -= 1;
      const released = new Promise((resolve) => process.once('SIGUSR2', resolve));
      say('held');
      await released;
    }
    if (fake.tally) tally.push(...JSON.parse(body));
    if (fake.echoes) say('echo');
    if (!fake.tally && !fake.echoes)
      say('post', {
        url: req.url,
        port: req.socket.remotePort,
        headers: req.headers,
        status,
        base64: body.toString('base64')
      });
    if (fake.silent) return;
    if (status === 'drop') return void req.socket.destroy();
    res.writeHead(status).end();
    if (status === 200 && !fake.damaged) take(body);
  });
  server.keepAliveTimeout = 0;
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server.address().port;
}

async function listenTcp() {
  const server = net.createServer((socket) =>
    socket.on('data', (chunk) => say('tcp', { base64: chunk.toString('base64') }))
  );
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server.address().port;
}

async function subscribe() {
  const { path: where = '/', protocol = 'HTTP', ...more } = fake.subscribe;
  const port = await (protocol === 'HTTP' ? listen() : listenTcp());
  const destination =
    protocol === 'HTTP' ? { protocol, URI: `http://sandbox.localdomain:${port}${where}` } : { protocol, port };
  const body = {
    schemaVersion: '2025-01-29',
    types: ['platform', 'function'],
    buffering: { timeoutMs: 25 },
    destination,
    ...more
  };
  const reply = await call({
    method: 'PUT',
    path: '/2022-07-01/telemetry',
    headers: { 'Lambda-Extension-Identifier': identifier },
    body: JSON.stringify(body)
  });
  say('subscribe', { status: reply.status, body: reply.body });
}

async function react(event, reaction) {
  if (reaction?.sayPid) {
    say('pid', { pid: process.pid });
    await forever();
  }
  if (reaction?.exit !== undefined) process.exit(reaction.exit);
  if (reaction?.hang) await forever();
  while (reaction?.untilPosted > posted) await new Promise((resolve) => (postedWait = resolve));
  if (reaction?.call) say('call', await call(reaction.call));
  if (event !== 'SHUTDOWN') return;
  if (fake.tally) say('tally', { events: tally });
  process.exit(0);
}

// There is no telling from here when the call is pending, nor when the platform has seen that its connection is gone.
async function abandonedNext() {
  const moment = () => new Promise((resolve) => setTimeout(resolve, 500));
  const request = http.get(`${api}/2020-01-01/extension/event/next`, {
    headers: { 'Lambda-Extension-Identifier': identifier }
  });
  request.on('error', () => {});
  await moment();
  request.destroy();
  await moment();
}

async function main() {
  for (const line of fake.print ?? []) print(line);
  say('env', { env: process.env, argv: process.argv.slice(2), cwd: process.cwd() });
  for (const one of fake.before ?? []) say('call', await call(one));
  if (fake.events !== null) await register();
  if (fake.subscribe) await subscribe();
  for (const one of fake.calls ?? []) say('call', await call(one));
  if (fake.exit !== undefined) process.exit(fake.exit);
  if (fake.abandonsNext) await abandonedNext();
  for (let invocations = 0; ;) {
    const reply = await call({
      path: '/2020-01-01/extension/event/next',
      headers: { 'Lambda-Extension-Identifier': identifier }
    });
    say('next', { status: reply.status, headers: reply.headers, body: reply.body });
    if (reply.status !== 200) continue;
    const event = JSON.parse(reply.body);
    if (event.eventType === 'INVOKE') {
      invocations += 1;
      while (fake.linger && runtimeDone < invocations) await new Promise((resolve) => (runtimeDoneWait = resolve));
    }
    await react(event.eventType, event.eventType === 'INVOKE' ? fake.onInvoke : fake.onShutdown);
  }
}

main();
