// 1.5, 1.7: with SnapStart no process has keys in its environment. They are had from the runtime API's address, and
// from the snapshot until its restoration not even there: a call waits.

import { randomBytes } from 'node:crypto';

export const CREDENTIALS_PATH = '/2021-04-23/credentials';
const LAST_MS = 6 * 60 * 60 * 1000;

// Text for a wrong token, and no content type that says JSON, as AWS's emulator has it.
export const REFUSED = { status: 404, headers: { 'Content-Type': 'text/plain' }, body: '404 page not found\n' };

export function credentialsReply({ accessKeyId, secretAccessKey, sessionToken }, expiresInMs = LAST_MS) {
  const expiration = new Date(Date.now() + expiresInMs).toISOString().replace('Z', '456789Z');
  const body = JSON.stringify({
    AccessKeyId: accessKeyId,
    SecretAccessKey: secretAccessKey,
    Token: sessionToken,
    Expiration: expiration
  });
  return { status: 200, headers: { 'Content-Type': 'text/plain' }, body: body.replaceAll('/', '\\/') };
}

// What tells a process where they are.
export function credentialsEnvironment(address, token) {
  return {
    AWS_CONTAINER_CREDENTIALS_FULL_URI: `http://${address}${CREDENTIALS_PATH}`,
    AWS_CONTAINER_AUTHORIZATION_TOKEN: token
  };
}

export class Credentials {
  token = randomBytes(32).toString('base64');
  #credentials;
  #waiting = null; // those that ask for them while there are none

  // credentials: {accessKeyId, secretAccessKey, sessionToken}
  constructor(credentials) {
    this.#credentials = credentials;
  }

  routes() {
    const path = new RegExp(`^${CREDENTIALS_PATH}$`);
    return [{ method: 'GET', path, name: 'credentials', listed: true, handle: (request) => this.#answer(request) }];
  }

  async #answer({ headers }) {
    if (headers.authorization !== this.token) return REFUSED;
    if (this.#waiting !== null) await new Promise((resolve) => this.#waiting.push(resolve));
    return credentialsReply(this.#credentials);
  }

  // A snapshot is being taken.
  withhold() {
    this.#waiting ??= [];
  }

  // It is restored: others from now on.
  renew(credentials) {
    this.#credentials = credentials;
    for (const resolve of this.#waiting ?? []) resolve();
    this.#waiting = null;
  }
}
