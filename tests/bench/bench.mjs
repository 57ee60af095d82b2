#!/usr/bin/env node
/*
 * The benchmarks: ./build.sh bench [CASE...]; what they are is in tests/README.md.
 *
 *   subjects  who is measured            host, host.c  what plays Lambda and Kinesis for one run
 *   runs      what is run                measures      what is read off the runs
 *   limits    what is promised           tables, plot  how it is shown; front_plot, on the front page
 *
 * BENCH_SUBJECTS="ours go" measures these alone. Exit status 1: a limit is not kept, or a run failed.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { frontPlot } from './front_plot.mjs';
import { Host } from './host.mjs';
import { limits } from './limits.mjs';
import { machine, machineText } from './machine.mjs';
import { CASES, bursts, evaluate, growth, runsFor, summary, volume } from './measures.mjs';
import { plot } from './plot.mjs';
import { RUNS, inTurns, perform } from './runs.mjs';
import { LAYER_FOLDER, NATIVE_FOLDER, OUTPUT_FOLDER, subjects } from './subjects.mjs';
import * as text from './tables.mjs';

const CEILING_ROUNDS = 3;

function chosen(names) {
  const unknown = names.filter((name) => !CASES.includes(name));
  if (unknown.length > 0) {
    console.error(`no such case: ${unknown.join(', ')}; there are ${CASES.join(', ')}`);
    process.exit(2);
  }
  return names.length > 0 ? names : CASES;
}

/* Each half of the host, by itself. */
async function ceilings(host) {
  const rounds = [];
  for (let i = 0; i < CEILING_ROUNDS; i += 1) {
    rounds.push(await host.ceilings({ events: 200_000, size: 200, perInvocation: 200_000 }));
  }
  const of = (name) => summary(rounds.map((one) => one[name]));
  return {
    'telemetry to a listener that discards': of('generator'),
    'PutRecords in CBOR, prepared': of('sinkCbor'), 'PutRecords in JSON, prepared': of('sinkJson')
  };
}

/* Programs as they are and as a zip would hold them; the zips themselves. */
function sizes(list) {
  const zips = existsSync(LAYER_FOLDER) ? readdirSync(LAYER_FOLDER).filter((name) => name.endsWith('.zip')) : [];
  return [
    ...list.map(({ name, program }) => ({
      name: name === 'node' ? `node (the bundle, without node ${process.version})` : name,
      bytes: statSync(program).size, deflated: deflateRawSync(readFileSync(program), { level: 9 }).length
    })),
    ...zips.sort().map((name) => ({ name, bytes: statSync(join(LAYER_FOLDER, name)).size, deflated: null }))
  ];
}

/* Each prints one JSON object a line: { measure, value, unit }. */
function micro() {
  return ['micro', 'micro_gzip'].flatMap((name) => {
    const program = join(NATIVE_FOLDER, name);
    if (!existsSync(program)) {
      console.error(`bench: no micro-benchmarks: there is no ${name}`);
      return [];
    }
    return execFileSync(program, { encoding: 'utf8' }).split('\n').filter(Boolean).map((line) => JSON.parse(line));
  });
}

/* Ways of running that bear on how figures are read. */
function notes(results) {
  const ahead = Object.entries(results.load200 ?? {}).filter(([, rounds]) => rounds.length > 0);
  const late = ahead.filter(([, rounds]) => !rounds[0].connectedAhead).map(([name]) => name);
  const all = Object.values(results).flatMap((run) => Object.values(run)).flat();
  const duplicates = all.reduce((sum, one) => sum + one.sink.duplicates, 0);
  const [one] = all.filter(({ events }) => events > 0);
  return [
    'Load: invocations of 1,000 events (rate: one of all; hold: of 10; shutdown: of 100), POSTs of 1,000 events or ' +
    '256 KiB at most.',
    ...one ? [`The extension had ${one.pinned ? 'a CPU for itself, the host the others' : 'no CPU for itself'}` +
      `${one.preferred ? '; both went before the machine\'s other work' : ''}.`] : [],
    ...late.length > 0 ? [`Ready after a first event, having connected to Kinesis only then: ${late.join(', ')}.`] : [],
    ...all.length > 0 ? [`${all.length} runs, ${duplicates} events arrived twice, none was lost.`] : []
  ];
}

async function measureAll(cases, list, failures) {
  const host = await Host.start();
  const results = {};
  try {
    for (const names of inTurns(runsFor(cases, Object.keys(RUNS)))) {
      const began = performance.now();
      Object.assign(results, await perform(names, list, host, failures));
      console.error(`bench: ${names.join('; ')}, ${((performance.now() - began) / 1000).toFixed(1)} s`);
    }
    return { results, own: cases.includes('rate') ? await ceilings(host) : null };
  } finally {
    await host.stop();
  }
}

function print(report) {
  const { measures, rates, own } = report;
  const blocks = [
    machineText(report.machine),
    measures.length > 0 && text.measuresText(measures),
    own && text.ceilingsText(own, rates),
    report.sizes.length > 0 && text.sizesText(report.sizes),
    report.growth.length > 0 && text.growthText(report.growth),
    report.volume.length > 0 && text.volumeText(report.volume, report.bursts),
    report.micro.length > 0 && text.microText(report.micro),
    report.notes.join('\n'),
    report.limits.length > 0 && text.limitsText(report.limits),
    ...Object.entries(report.failures).map(([name, reason]) => `FAILED: ${name}: ${reason}`)
  ];
  console.log(blocks.filter(Boolean).join('\n\n'));
}

async function save(report) {
  const svg = plot(report.measures, machineText(report.machine));
  const { rates, ...kept } = report;
  await writeFile(join(OUTPUT_FOLDER, 'results.json'), `${JSON.stringify(kept, null, 1)}\n`);
  await writeFile(join(OUTPUT_FOLDER, 'results.svg'), svg);
  const front = frontPlot(report.measures, report.machine);
  if (front) {
    await writeFile(join(OUTPUT_FOLDER, 'compared.svg'), front);
  }
}

const cases = chosen(process.argv.slice(2));
const list = await subjects((process.env.BENCH_SUBJECTS ?? '').split(/\s+/).filter(Boolean));
if (list.length === 0) {
  console.error(`bench: none of these can be measured here: ${process.env.BENCH_SUBJECTS}`);
  process.exit(2);
}
const where = machine();
const failures = {};
const { results, own } = await measureAll(cases, list, failures);
const measures = evaluate(cases, results);
const small = cases.includes('micro') ? micro() : [];
const report = {
  machine: where, parameters: RUNS, subjects: list, measures, own,
  rates: measures.find(({ id }) => id === 'rate')?.subjects ?? {},
  sizes: cases.includes('size') ? sizes(list.filter(({ name }) => name !== 'launcher')) : [],
  growth: growth(results), volume: volume(results), bursts: bursts(results), micro: small, notes: notes(results),
  limits: limits(measures, small, volume(results), bursts(results)), failures
};
print(report);
await save(report);
process.exit(Object.keys(failures).length > 0 || report.limits.some(({ ok }) => !ok) ? 1 : 0);
