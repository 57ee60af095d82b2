/*
 * The endpoint from which SnapStart functions get their credentials, by itself.
 *
 *   const endpoint = await ContainerCredentials.start({ credentials });
 *   endpoint.environment()      for the extension: no keys, but where they are to be had
 *   endpoint.credentials = …    what the next request gets
 *   endpoint.expiresInMs = …
 *   endpoint.fault = (response) => { …; return true; }   // instead of the answer
 *   endpoint.requests           of each: { method, path, authorization }
 *   await endpoint.stop();
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { CREDENTIALS_PATH, REFUSED, credentialsEnvironment, credentialsReply } from '../../platform/credentials.mjs';

const TOKEN = 'container token, verbatim==';

export class ContainerCredentials {
  static async start(options) {
    const endpoint = new ContainerCredentials(options);
    endpoint.server.listen(0, '127.0.0.1');
    await once(endpoint.server, 'listening');
    endpoint.port = endpoint.server.address().port;
    return endpoint;
  }

  constructor({ credentials, expiresInMs = 6 * 60 * 60 * 1000 }) {
    Object.assign(this, { credentials, expiresInMs });
    this.requests = [];
    this.fault = null;
    this.server = createServer((request, response) => this.#answer(request, response));
  }

  get token() {
    return TOKEN;
  }

  environment() {
    return {
      AWS_ACCESS_KEY_ID: null, AWS_SECRET_ACCESS_KEY: null, AWS_SESSION_TOKEN: null,
      ...credentialsEnvironment(`127.0.0.1:${this.port}`, TOKEN)
    };
  }

  #answer({ method, url, headers }, response) {
    this.requests.push({ method, path: url, authorization: headers.authorization });
    if (this.fault?.(response)) {
      return;
    }
    const right = url === CREDENTIALS_PATH && headers.authorization === TOKEN;
    const reply = right ? credentialsReply(this.credentials, this.expiresInMs) : REFUSED;
    response.writeHead(reply.status, reply.headers).end(reply.body);
  }

  async stop() {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }
}
