/*
 * Credentials that are fetched, as SnapStart functions have to.
 */
import assert from 'node:assert/strict';
import { after, describe } from 'node:test';
import { ContainerCredentials } from './support/container_credentials.mjs';
import { CREDENTIALS } from './support/front.mjs';
import { jsonRecords } from './support/lines.mjs';
import { allDelivered, data, finished, log, useBench } from './support/scenario.mjs';
import { assertSame } from './support/tally.mjs';

const { scenario } = useBench();
const OTHERS = { accessKeyId: 'AKIDOTHER', secretAccessKey: 'other/secret', sessionToken: 'other//token==' };
const endpoints = [];

after(() => Promise.all(endpoints.map((one) => one.stop())));

/* A scenario without keys in the environment; before is called with the endpoint before all else. */
function fetching(name, { before, env = {}, ...options }, body) {
  let endpoint;
  scenario(name, async () => {
    endpoint = await ContainerCredentials.start({ credentials: CREDENTIALS });
    endpoints.push(endpoint);
    before?.(endpoint);
    return { ...options, env: { ...endpoint.environment(), ...env } };
  }, async (stand) => {
    await body(stand, endpoint);
    const text = stand.platform.lines.map((one) => String(one.line)).join('\n');
    assert.ok(!text.includes(endpoint.token) && !text.includes(OTHERS.secretAccessKey), 'a secret in the log');
  });
}

/* Four at once: most of their time is waiting for an endpoint that does better. */
describe('credentials that are fetched', { concurrency: 4 }, () => {
  fetching('fetched once, with the token, and used', {}, async (stand, endpoint) => {
    for (let i = 0; i < 3; i += 1) {
      await log(stand, jsonRecords(20, 200, `round-${i}`));
    }
    await allDelivered(stand, 60);
    assert.deepEqual(endpoint.requests,
      [{ method: 'GET', path: '/2021-04-23/credentials', authorization: endpoint.token }]);
    assert.deepEqual(stand.logsOf('error'), []);
  });

  fetching('fetched again when they are refused', {}, async (stand, endpoint) => {
    const first = jsonRecords(10, 200, 'first');
    const then = jsonRecords(10, 200, 'then');
    await log(stand, first);
    stand.front.credentials = OTHERS;
    endpoint.credentials = OTHERS;
    await log(stand, then);
    const end = await finished(stand);
    assertSame(data([...first, ...then]), data(end.records));
    assert.equal(endpoint.requests.length, 2);
    assert.ok(stand.front.refusals.length >= 1);
  });

  fetching('about to expire, used all the same while others are fetched', {
    before: (endpoint) => { endpoint.expiresInMs = 60_000; }
  }, async (stand, endpoint) => {
    await log(stand, jsonRecords(10));
    await allDelivered(stand, 10);
    assert.ok(endpoint.requests.length >= 1);
  });

  fetching('an endpoint that fails at first', {
    before: (endpoint) => {
      let left = 2;
      endpoint.fault = (response) => {
        if (left === 0) {
          return false;
        }
        left -= 1;
        response.writeHead(500).end('no');
        return true;
      };
    }
  }, async (stand, endpoint) => {
    const records = jsonRecords(10);
    await log(stand, records);
    const end = await allDelivered(stand, 10);
    assertSame(data(records), data(end.records));
    assert.equal(endpoint.requests.length, 3);
    assert.equal(stand.logsOf('error').filter((one) => one.message.includes('credentials')).length, 1);
  });

  const never = [
    ['404', (response) => response.writeHead(404).end('404 page not found\n')],
    ['what is not JSON', (response) => response.writeHead(200).end('<html></html>')],
    ['nothing', () => {}]
  ];

  for (const [what, answer] of never) {
    fetching(`an endpoint that always answers ${what}`, {
      platform: { shutdownMs: 2_500 },
      before: (endpoint) => {
        endpoint.fault = (response) => {
          answer(response);
          return true;
        };
      }
    }, async (stand) => {
      await log(stand, jsonRecords(10));
      const end = await finished(stand);
      assert.equal(end.records.length, 0);
      assert.equal(end.ledger.dropped.shutdown, 10);
      const told = stand.logsOf('error').filter((one) => one.message.includes('no credentials from'));
      assert.ok(told.length <= 1, JSON.stringify(told));
    });
  }

  fetching('an address outside the machine is refused', {
    platform: { shutdownMs: 2_500 },
    env: { AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://192.0.2.1/credentials' }
  }, async (stand, endpoint) => {
    await log(stand, jsonRecords(5));
    const end = await finished(stand);
    assert.equal(end.ledger.dropped.shutdown, 5);
    assert.deepEqual(endpoint.requests, []);
    const told = stand.logsOf('error').map((one) => one.message);
    assert.ok(told.some((one) => one.startsWith('AWS_CONTAINER_CREDENTIALS_FULL_URI: "http://192.0.2.1/credentials"')));
  });
});
