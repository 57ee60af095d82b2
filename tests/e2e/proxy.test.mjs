/*
 * TELEMETRY_PROXY: what goes through a proxy, what never does, and what is said of it. How a proxy may fail: the rows
 * `proxy-` and `password-` of the fault matrix, and tests/unit/test_tunnel.c; NO_PROXY: no_proxy.test.mjs.
 */
import assert from 'node:assert/strict';
import { after, describe } from 'node:test';
import { ContainerCredentials } from './support/container_credentials.mjs';
import * as faults from './support/faults.mjs';
import { CREDENTIALS } from './support/front.mjs';
import { jsonRecords } from './support/lines.mjs';
import { Names } from './support/names.mjs';
import { Proxy } from './support/proxy.mjs';
import { S3 } from './support/s3.mjs';
import { allDelivered, data, finished, log, useBench } from './support/scenario.mjs';
import { assertSame } from './support/tally.mjs';

const { scenario } = useBench();

/* The proxy alone knows where these are. */
const NAME = 'kinesis.test';
const BUCKETS = 'buckets.test';
const WHO = { user: 'us er@example', password: 's3cret:/%41@?#' };

const open = [];
after(() => Promise.all(open.map((one) => one.stop())));

async function opened(promise) {
  const one = await promise;
  open.push(one);
  return one;
}

const named = (url, name = NAME) => url.replace('localhost', name);

function assertSilent(stand, { secrets }) {
  const text = stand.platform.lines.map(({ line }) => String(line)).join('\n');
  assert.deepEqual(secrets.filter((secret) => text.includes(secret)), []);
}

/* env(proxy, url) is what the extension gets besides; the endpoint's URL has a name that only the proxy knows. */
function behind(name, { who = WHO, env = ({ url }) => ({ TELEMETRY_PROXY: url }), prepare, ...options }, body) {
  let proxy;
  scenario(name, async (bench) => {
    proxy = await opened(Proxy.start(who));
    const more = await prepare?.(proxy, bench) ?? {};
    return {
      leaf: { names: [NAME] }, ...options, ...more,
      env: ({ AWS_ENDPOINT_URL_KINESIS: url }) => ({
        AWS_ENDPOINT_URL_KINESIS: named(url), TELEMETRY_LOG_LEVEL: 'debug', ...more.env, ...env(proxy, url)
      })
    };
  }, async (stand, bench) => {
    await body(stand, proxy, bench);
    assert.equal(proxy.others, 0);
    assertSilent(stand, proxy);
  });
}

async function delivers(stand) {
  const records = jsonRecords(100);
  await log(stand, records);
  const end = await allDelivered(stand, records.length);
  assertSame(data(records), data(end.records));
  return end;
}

/* All of it through tunnels to the endpoint. */
async function deliversThrough(stand, proxy) {
  await delivers(stand);
  assert.ok(proxy.tunnels.length > 0);
  assert.deepEqual([...new Set(proxy.tunnels)], [`${NAME}:${stand.front.port}`]);
}

async function deliversDirectly(stand, proxy) {
  await delivers(stand);
  assert.deepEqual(proxy.tunnels, []);
}

describe('a proxy', { concurrency: 4 }, () => {
  behind('that lets in everybody', { who: {} }, async (stand, proxy) => {
    await deliversThrough(stand, proxy);
    assert.deepEqual([...stand.front.statistics.serverNames], [NAME]);
  });

  behind('with a user and a password', {}, deliversThrough);

  behind('for an endpoint of plain http', { front: { plain: true } }, deliversThrough);

  behind('that is the function\'s own; lower case wins', {
    env: ({ url }) => ({
      TELEMETRY_PROXY: 'environment', https_proxy: url.replace('http://', ''), HTTPS_PROXY: 'http://127.0.0.1:1',
      NO_PROXY: 'other.test'
    })
  }, deliversThrough);

  behind('whose password is another one: a line says so, once', {
    env: ({ url }) => ({ TELEMETRY_PROXY: url.replace('s3cret', 's3cres') }), platform: { shutdownMs: 2_000 }
  }, async (stand) => {
    await log(stand, jsonRecords(10));
    const { ledger } = await finished(stand);
    assert.equal(ledger.dropped.total, 10);
    assert.equal(stand.front.statistics.connections, 0);
    const told = stand.logsOf('error').filter(({ message }) => message.includes('407'));
    assert.deepEqual(told.map(({ message }) => message), [
      `PutRecords to ${stand.stream} at ${NAME}:${stand.front.port} through 127.0.0.1: the proxy answered 407`
    ]);
  });

  behind('does not make a certificate good', { leaf: { names: ['other.test'] }, platform: { shutdownMs: 2_000 } },
    async (stand, proxy) => {
      await log(stand, jsonRecords(10));
      const { ledger } = await finished(stand);
      assert.equal(ledger.dropped.total, 10);
      assert.ok(proxy.tunnels.length > 0);
      assert.equal(stand.front.statistics.requests, 0);
      assert.ok(stand.logsOf('error').some(({ message }) => /certificate/.test(message)));
    });

  behind('is asked for the dead letter, and not for credentials', {
    prepare: async (proxy, bench) => {
      const credentials = await opened(ContainerCredentials.start({ credentials: CREDENTIALS }));
      proxy.credentials = credentials;
      const certificate = await bench.certificates.leaf({ names: [BUCKETS] });
      proxy.s3 = await opened(S3.start({ buckets: ['letters'], certificate }));
      return {
        env: {
          ...credentials.environment(), AWS_ENDPOINT_URL_S3: named(proxy.s3.url, BUCKETS),
          TELEMETRY_DEAD_LETTER: 's3://letters'
        }
      };
    }
  }, async (stand, proxy) => {
    const records = jsonRecords(10);
    stand.front.fault = faults.refuse(400, 'InvalidArgumentException', 'Refused by the test.');
    await log(stand, records);
    const { ledger } = await finished(stand);
    assert.equal(ledger.deadLettered, 10);
    assertSame(data(records), (await proxy.s3.letters('letters')).map((one) => one.data));
    assert.deepEqual([...new Set(proxy.tunnels)].sort(), [`${BUCKETS}:${proxy.s3.port}`, `${NAME}:${stand.front.port}`]);
    assert.ok(proxy.credentials.requests.length > 0);
  });
});

describe('no proxy', { concurrency: 4 }, () => {
  const here = { leaf: {} };

  behind('for this machine, whatever is set', {
    ...here, env: ({ url: proxy }, url) => ({ TELEMETRY_PROXY: proxy, AWS_ENDPOINT_URL_KINESIS: url })
  }, deliversDirectly);

  behind('unless one is asked for', {
    ...here, env: ({ url: proxy }, url) => ({ HTTPS_PROXY: proxy, https_proxy: proxy, AWS_ENDPOINT_URL_KINESIS: url })
  }, deliversDirectly);

  for (const value of [
    'https://u:s3cret:/%41@?#@127.0.0.1:1', 'socks5://u:s3cret:/%41@?#@127.0.0.1:1', 'enviroment', '127.0.0.1:3128'
  ]) {
    behind(`if it is refused: ${value}`, {
      ...here, env: (_, url) => ({ TELEMETRY_PROXY: value, AWS_ENDPOINT_URL_KINESIS: url })
    }, async (stand, proxy) => {
      await deliversDirectly(stand, proxy);
      assert.deepEqual(stand.logsOf('error').map(({ message }) => message), [
        'TELEMETRY_PROXY: "(a URL)" is not allowed; allowed: environment, http://[USER:PASSWORD@]HOST[:PORT]; using no proxy'
      ]);
    });
  }

  behind('if the function\'s own is refused', {
    ...here, env: (_, url) => ({
      TELEMETRY_PROXY: 'environment', HTTPS_PROXY: 'https://s3cret:/%41@?#', AWS_ENDPOINT_URL_KINESIS: url
    })
  }, async (stand, proxy) => {
    await deliversDirectly(stand, proxy);
    assert.deepEqual(stand.logsOf('error').map(({ message }) => message), [
      'HTTPS_PROXY: "(a URL)" is not allowed; allowed: http://[USER:PASSWORD@]HOST[:PORT]; using no proxy'
    ]);
  });
});

/* The endpoint's name is looked up by the extension then, so it needs a name server. */
const unavailable = await Names.unavailable();
describe('NO_PROXY', { skip: unavailable ?? false }, () => {
  behind('exempts the endpoint', {
    env: ({ url }) => ({ TELEMETRY_PROXY: 'environment', HTTPS_PROXY: url, NO_PROXY: 'other.example, .test' }),
    prepare: async () => ({ binary: (await opened(Names.start())).launcher })
  }, deliversDirectly);
});
