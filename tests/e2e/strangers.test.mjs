/*
 * Whoever runs in the sandbox can reach the listener's port. Telemetry is what comes by the path that the
 * subscription names, once the platform is seen to use it; an emulator may post to another one.
 */
import assert from 'node:assert/strict';
import { light } from './support/light.mjs';
import { request, talk } from './support/raw_client.mjs';

const BODY = '[{"time":"2026-11-29T12:00:00.000Z","type":"function","record":"posted"}]';

function destination(stand) {
  return new URL(stand.bodies('subscribe')[0].destination.URI);
}

async function statuses(stand, ...targets) {
  const { port } = destination(stand);
  return (await talk(Number(port), targets.map((target) => request(BODY, { target })))).statuses;
}

light('the path of the subscription is nobody else\'s', {}, async (stand) => {
  const { pathname } = destination(stand);
  assert.match(pathname, /^\/[0-9a-f]{32}$/);
  await stand.log(['a line']);
  assert.deepEqual(await statuses(stand, '/'), [404]);
  assert.deepEqual(await statuses(stand, `${pathname}0`), [404]);
  assert.deepEqual(await statuses(stand, pathname), [200]);
  const { arrived, ledger } = await stand.finish();
  assert.deepEqual(arrived, ['a line', 'posted']);
  assert.equal(ledger.received, 2);
});

light('an emulator that does not use it', { platform: { deliver: { dropPath: true } } }, async (stand) => {
  await stand.log(['a line']);
  assert.deepEqual(await statuses(stand, '/any', '/'), [200, 200]);
  const { arrived } = await stand.finish();
  assert.deepEqual(arrived, ['a line', 'posted', 'posted']);
});

light('a path for each sandbox', {}, async (stand) => {
  const other = await stand.constructor.start();
  assert.notEqual(destination(stand).pathname, destination(other).pathname);
  await other.finish();
  await other.stop();
});
