/*
 * The endpoint from which SnapStart functions get their credentials.
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

const PATH = '/2021-04-23/credentials';
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
      AWS_CONTAINER_CREDENTIALS_FULL_URI: `http://127.0.0.1:${this.port}${PATH}`,
      AWS_CONTAINER_AUTHORIZATION_TOKEN: TOKEN
    };
  }

  /* As Lambda does: text for a wrong token, and no content type that says JSON. */
  #answer({ method, url, headers }, response) {
    this.requests.push({ method, path: url, authorization: headers.authorization });
    if (this.fault?.(response)) {
      return;
    }
    if (url !== PATH || headers.authorization !== TOKEN) {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('404 page not found\n');
      return;
    }
    const { accessKeyId, secretAccessKey, sessionToken } = this.credentials;
    const expiration = new Date(Date.now() + this.expiresInMs).toISOString().replace('Z', '456789Z');
    const body = JSON.stringify({
      AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey, Token: sessionToken, Expiration: expiration
    });
    response.writeHead(200, { 'content-type': 'text/plain' }).end(body.replaceAll('/', '\\/'));
  }

  async stop() {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }
}
