/* The Extensions and Telemetry APIs, over one connection that is kept. */
import { Agent, request } from 'node:http';
import { basename } from 'node:path';

const agent = new Agent({ keepAlive: true, maxSockets: 1 });
const [hostname, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(':');
let identifier = {};

/* Not fetch: its time limits end a `next` that the sandbox is frozen in. */
function call(method, path, headers, value) {
  const body = value === undefined ? undefined : Buffer.from(JSON.stringify(value));
  const length = body && { 'Content-Type': 'application/json', 'Content-Length': body.length };
  return new Promise((resolve, reject) => {
    const sent = request({ agent, hostname, port, method, path, headers: { ...identifier, ...headers, ...length } });
    sent.on('error', reject);
    sent.on('response', async (response) => {
      try {
        const chunks = await response.toArray();
        const text = Buffer.concat(chunks).toString();
        if (response.statusCode !== 200) {
          throw new Error(`${method} ${path}: ${response.statusCode} ${text}`);
        }
        resolve({ headers: response.headers, value: JSON.parse(text) });
      } catch (error) {
        reject(error);
      }
    });
    sent.end(body);
  });
}

export async function register() {
  const name = { 'Lambda-Extension-Name': basename(process.argv[1]) };
  const { headers } = await call('POST', '/2020-01-01/extension/register', name, { events: ['INVOKE', 'SHUTDOWN'] });
  identifier = { 'Lambda-Extension-Identifier': headers['lambda-extension-identifier'] };
}

export async function subscribe(listenerPort) {
  await call('PUT', '/2022-07-01/telemetry', {}, {
    schemaVersion: '2022-12-13',
    types: ['platform', 'function'],
    buffering: { timeoutMs: 25, maxBytes: 1048576, maxItems: 10000 },
    destination: { protocol: 'HTTP', URI: `http://sandbox.localdomain:${listenerPort}` }
  });
}

export async function next() {
  return (await call('GET', '/2020-01-01/extension/event/next', {})).value;
}
