/*
 * TELEMETRY_METRICS=emf: what the ledger counts, as CloudWatch's embedded metric format.
 */
import assert from 'node:assert/strict';
import { jsonRecords } from './support/lines.mjs';
import { data, finished, log, useBench } from './support/scenario.mjs';

const { scenario } = useBench();

function documents(logs) {
  return logs.filter((one) => one._aws);
}

/* The metrics of all documents together, as a reader of the log group adds them up. */
function sums(list) {
  const all = {};
  for (const one of list) {
    for (const { Name } of one._aws.CloudWatchMetrics[0].Metrics) {
      assert.equal(typeof one[Name], 'number');
      all[Name] = (all[Name] ?? 0) + one[Name];
    }
  }
  return all;
}

scenario('the documents add up to the ledger', { env: { TELEMETRY_METRICS: 'emf' } }, async (stand) => {
  const before = Date.now();
  for (let i = 0; i < 3; i += 1) {
    await log(stand, jsonRecords(40, 200, `round-${i}`));
  }
  const end = await finished(stand);
  const list = documents(end.logs);
  assert.ok(list.length >= 1 && list.length <= 3, `${list.length} documents`);
  for (const one of list) {
    const [metrics] = one._aws.CloudWatchMetrics;
    assert.equal(metrics.Namespace, 'KinesisTelemetryExtension');
    assert.deepEqual(metrics.Dimensions, [['FunctionName']]);
    assert.ok(one._aws.Timestamp >= before && one._aws.Timestamp <= Date.now());
    assert.equal(typeof one.FunctionName, 'string');
  }
  const { ledger } = end;
  const all = sums(list);
  assert.deepEqual(
    [all.Received, all.Delivered, all.Dropped, all.Requests, all.Connections, all.BytesDelivered, list.at(-1).Queued],
    [120, ledger.delivered, 0, ledger.requests, ledger.connections, ledger.bytes, 0]);
  const payload = end.records.reduce((sum, one) => sum + one.data.length, 0);
  assert.deepEqual([all.Records, all.PayloadBytes, all.Units], [ledger.records, ledger.payloadBytes, ledger.units]);
  assert.deepEqual([ledger.records, ledger.payloadBytes, ledger.units], [120, payload, 120]);
});

scenario('our own documents are not forwarded', { env: { TELEMETRY_METRICS: 'emf', TELEMETRY_TYPES: 'function,extension' } },
  async (stand) => {
    await log(stand, jsonRecords(5));
    await log(stand, jsonRecords(5));
    const end = await finished(stand);
    assert.ok(documents(end.logs).length >= 1);
    assert.deepEqual(data(end.records).filter((one) => String(one).includes('CloudWatchMetrics')), []);
  });

scenario('without the setting there are none', {}, async (stand) => {
  await log(stand, jsonRecords(5));
  const end = await finished(stand);
  assert.deepEqual(documents(end.logs), []);
});
