#!/usr/bin/env node
/*
 * Whether each rival does what it is measured for: all that a function logs arrives in the stream, once;
 * what cannot arrive is told.
 *
 *   tests/bench/rivals/build.sh | node tests/bench/rivals/check.mjs
 *
 * Exit status 0: so it is. 1: not so, or there was no rival.
 */
import { readFileSync } from 'node:fs';
import { failRecords } from '../../e2e/support/faults.mjs';
import { jsonRecords, textRecords } from '../../e2e/support/lines.mjs';
import { data, log } from '../../e2e/support/scenario.mjs';
import { NAME, Bench } from '../../e2e/support/stand.mjs';
import { compare } from '../../e2e/support/tally.mjs';

/* The SDK's announcement about old versions of Node. */
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';

const text = textRecords(700, 200, { newline: false });
const json = jsonRecords(700);
const bare = [{ record: '{"id":"bare"}', data: '{"id":"bare"}' }];
const few = Array.from({ length: 5 }, (_, i) => textRecords(3, 60, { prefix: `few-${i}`, newline: false }));

/*
 * invocations  the records of each
 * idle         (front) => what happens to it after each invocation
 * down         nobody listens from the start
 */
const ROWS = [
  { name: 'text', invocations: [text] },
  { name: 'JSON', invocations: [json, bare] },
  { name: 'a few, frozen in between', invocations: few, platform: { freeze: true } },
  {
    name: 'the peer closes in between', invocations: few, platform: { freeze: true },
    idle: (front) => front.closeConnections()
  },
  { name: '30 % of the records fail', invocations: [text, json], fault: failRecords(0.3) },
  { name: 'connection refused', invocations: few, platform: { shutdownMs: 2000 }, down: true }
];

/* Each SDK is told of the test's CA in its own way. */
const trust = ({ AWS_CA_BUNDLE: pem }) => ({ NODE_EXTRA_CA_CERTS: pem, SSL_CERT_FILE: pem });

/* Faults as texts. */
async function run(bench, binary, { invocations, fault = null, platform, idle, down }) {
  const onFront = (front) => {
    front.fault = fault;
    if (down) {
      front.refuse();
    }
  };
  const stand = await bench.stand({ binary, shards: 4, env: trust, onFront, platform });
  try {
    for (const records of invocations) {
      await log(stand, records);
      idle?.(stand.front);
    }
    return (down ? faultsDown : faultsUp)(stand, await stand.finish(), invocations.flat());
  } finally {
    if (down) {
      await stand.front.listen(); /* what is not open cannot be stopped */
    }
    await stand.stop();
  }
}

function faultsUp({ front, platform }, { exit, records }, sent) {
  const { lost, duplicated, foreign } = compare(data(sent), data(records));
  const counts = Object.entries({ lost, duplicated, foreign }).filter(([, list]) => list.length > 0);
  const keys = [...front.statistics.partitionKeys.keys()];
  return [
    ...counts.map(([what, list]) => `${list.length} ${what}, as ${String(list[0]).slice(0, 80)}`),
    ...faultsAlways({ platform }, exit),
    ...keys.every((key) => /^[0-9a-f]{8}$/.test(key)) ? [] : [`partition key ${keys[0]}`],
    ...keys.length > sent.length * 0.99 ? [] : [`${keys.length} partition keys`],
    ...front.violations, ...front.refusals.map(({ message }) => message), ...said(platform)
  ];
}

function faultsDown({ platform }, { exit }, sent) {
  const told = said(platform).some((line) => line.includes(`kinesis: ${sent.length} records lost`));
  return [...faultsAlways({ platform }, exit), ...told ? [] : ['not told', ...said(platform).slice(-2)]];
}

function faultsAlways({ platform }, exit) {
  const refused = platform.posts.filter(({ status }) => status !== 200);
  return [
    ...exit.exitCode === 0 ? [] : [`exit ${JSON.stringify(exit)}`],
    ...refused.map((post) => `a POST of telemetry: ${JSON.stringify(post)}`)
  ];
}

function said(platform) {
  return platform.lines.filter(({ source }) => source === NAME).map(({ line }) => String(line));
}

const rivals = readFileSync(0, 'utf8').split('\n').filter(Boolean).map((line) => line.split('\t'));
const bench = await Bench.start();
let good = rivals.length > 0;
try {
  for (const [name, binary] of rivals) {
    for (const row of ROWS) {
      const faults = await run(bench, binary, row).catch((error) => [error.stack]);
      console.log(`${name}, ${row.name}: ${faults.length === 0 ? 'holds' : 'FAILS'}`);
      faults.slice(0, 5).forEach((fault) => console.log(`  ${fault}`));
      good &&= faults.length === 0;
    }
  }
} finally {
  await bench.stop();
}
process.exitCode = good ? 0 : 1;
