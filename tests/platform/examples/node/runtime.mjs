// A small Node runtime on the Runtime API, for the example beside it: asks for an event, runs the handler,
// posts the answer; console.* writes lines in the log format that is set, as Lambda's own Node runtime does.

import { AsyncLocalStorage } from 'node:async_hooks';
import { writeSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { format } from 'node:util';

const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(':');
const agent = new http.Agent({ keepAlive: true });
const current = new AsyncLocalStorage(); // {requestId} of the invocation that is logging

function call(method, where, body = '', headers = {}) {
  return new Promise((resolve, reject) => {
    const request = http.request(
      { host, port, method, agent, path: `/2018-06-01/runtime${where}`, headers },
      async (response) => {
        const chunks = [];
        for await (const chunk of response) chunks.push(chunk);
        resolve({ headers: response.headers, body: Buffer.concat(chunks).toString() });
      }
    );
    request.on('error', reject);
    request.end(body);
  });
}

// Written at once, as Lambda's own runtimes do: a line that is still in our memory when we ask for the next event
// would come too late for its invocation.
function log(level, fd, args) {
  const timestamp = new Date().toISOString();
  const requestId = current.getStore()?.requestId;
  const message = args.length === 1 && typeof args[0] === 'object' ? args[0] : format(...args);
  if (process.env.AWS_LAMBDA_LOG_FORMAT === 'JSON') {
    writeSync(fd, `${JSON.stringify({ timestamp, level, requestId, message })}\n`);
  } else {
    writeSync(fd, `${timestamp}\t${requestId ?? ''}\t${level}\t${format(...args)}\n`);
  }
}

function patchConsole() {
  const levels = { log: 'INFO', info: 'INFO', debug: 'DEBUG', warn: 'WARN', error: 'ERROR' };
  for (const [name, level] of Object.entries(levels)) {
    const fd = ['warn', 'error'].includes(name) ? 2 : 1;
    console[name] = (...args) => log(level, fd, args);
  }
}

async function loadHandler() {
  const [file, name] = process.env._HANDLER.split('.');
  const module = await import(path.join(process.env.LAMBDA_TASK_ROOT, `${file}.mjs`));
  if (typeof module[name] !== 'function') throw new Error(`${file}.mjs exports no function ${name}`);
  return module[name];
}

async function serve(handler) {
  const { headers, body } = await call('GET', '/invocation/next');
  const requestId = headers['lambda-runtime-aws-request-id'];
  const deadlineMs = Number(headers['lambda-runtime-deadline-ms']);
  const context = { awsRequestId: requestId, getRemainingTimeInMillis: () => deadlineMs - Date.now() };
  try {
    const result = await current.run({ requestId }, () => handler(JSON.parse(body), context));
    await call('POST', `/invocation/${requestId}/response`, JSON.stringify(result ?? null));
  } catch (error) {
    const report = { errorType: error.name, errorMessage: error.message, stackTrace: error.stack?.split('\n') ?? [] };
    current.run({ requestId }, () => console.error('Invoke Error', JSON.stringify(report)));
    await call('POST', `/invocation/${requestId}/error`, JSON.stringify(report), {
      'Lambda-Runtime-Function-Error-Type': `Runtime.${error.name}`
    });
  }
}

async function loop(handler) {
  for (;;) await serve(handler);
}

patchConsole();
try {
  const handler = await loadHandler();
  // Managed Instances: several invocations at once.
  const loops = Number(process.env.AWS_LAMBDA_MAX_CONCURRENCY ?? 1);
  await Promise.all(Array.from({ length: loops }, () => loop(handler)));
} catch (error) {
  const report = JSON.stringify({ errorType: error.name, errorMessage: error.message });
  await call('POST', '/init/error', report, {
    'Lambda-Runtime-Function-Error-Type': 'Runtime.ImportModuleError'
  }).catch(() => {});
  process.exitCode = 1;
}
