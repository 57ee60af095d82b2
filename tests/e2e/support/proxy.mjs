/*
 * A proxy on loopback, which is npm's proxy-chain: it looks up names by itself, and finds all of them on this machine.
 *
 *   const proxy = await Proxy.start({ user: 'user', password: 'secret' });   // or nothing: it lets in everybody
 *   proxy.url                    for TELEMETRY_PROXY, with user and password
 *   proxy.tunnels                'HOST:PORT' of each that was asked for
 *   proxy.mood = 'denies'        what it does with requests from now on: 'serves', 'denies' (407), 'forgets' (silence)
 *   await proxy.leave();         nobody listens any more; await proxy.listen();
 *   proxy.secrets                what must be in no line: the password, as it is, in URLs and in requests; or nothing
 *   proxy.others                 requests that were none for a tunnel
 *   await proxy.stop();
 */
import { Server } from 'proxy-chain';

const HERE = '127.0.0.1';

/* As dns.lookup. */
function lookup(_name, options, done) {
  return options.all ? done(null, [{ address: HERE, family: 4 }]) : done(null, HERE, 4);
}

export class Proxy {
  #server = null;

  static async start(options) {
    const proxy = new Proxy(options);
    await proxy.listen();
    return proxy;
  }

  constructor({ user = '', password = '' } = {}) {
    Object.assign(this, { user, password, mood: 'serves', port: 0, tunnels: [], others: 0 });
  }

  async listen() {
    this.#server = new Server({
      host: HERE, port: this.port, prepareRequestFunction: (request) => this.#answer(request)
    });
    /* a client or a target that leaves in the midst of it is what tests are about */
    this.#server.on('requestFailed', () => {});
    await this.#server.listen();
    this.port = this.#server.port;
  }

  #answer({ username, password, hostname, port, isHttp }) {
    const denied = this.mood === 'denies' || username !== this.user || password !== this.password;
    if (isHttp) {
      this.others += 1;
    } else {
      this.tunnels.push(`${hostname}:${port}`);
    }
    if (this.mood === 'forgets') {
      return new Promise(() => {});
    }
    return { requestAuthentication: denied, dnsLookup: lookup };
  }

  get url() {
    const who = this.user ? `${encodeURIComponent(this.user)}:${encodeURIComponent(this.password)}@` : '';
    return `http://${who}${HERE}:${this.port}`;
  }

  get secrets() {
    const { user, password } = this;
    return password === '' ? [] :
        [password, encodeURIComponent(password), Buffer.from(`${user}:${password}`).toString('base64')];
  }

  /* Tunnels end, too. */
  async leave() {
    await this.#server.close(true);
  }

  async stop() {
    await this.leave().catch(() => {});
  }
}
