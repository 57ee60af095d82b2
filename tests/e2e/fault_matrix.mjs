#!/usr/bin/env node
/*
 * The fault matrix: for each fault, what became of 10,000 events, as counted at the destination.
 *
 *   node fault_matrix.mjs [--markdown] [NAME...]     NAME: a row, or how several begin
 *   node fault_matrix.mjs --list
 *   node fault_matrix.mjs black-hole                 how long invocations are held, see black_hole.mjs
 *
 * Exit status 0: every row holds. 1: not so. 2: wrong options.
 */
import { stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';

/* The SDK's announcement about old versions of Node belongs to its users, not into our output. */
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';

const { blackHoles } = await import('./support/black_hole.mjs');
const { faultRun } = await import('./support/fault_run.mjs');
const { rows } = await import('./support/fault_rows.mjs');
const { BINARY, Bench } = await import('./support/stand.mjs');

const USAGE = 'usage: fault_matrix.mjs [--markdown] [--list] [black-hole | NAME...]';

const COLUMNS = [
  ['fault', 62, ({ row }) => row.what],
  ['events', 8, ({ events }) => events],
  ['lost', 7, ({ lost }) => lost],
  ['duplicates', 11, ({ duplicates }) => duplicates],
  ['possible', 9, ({ duplicatesPossible }) => duplicatesPossible],
  ['retried', 8, ({ retried }) => retried],
  ['requests', 9, ({ requests }) => requests],
  ['connections', 12, ({ connections }) => connections],
  ['breaker', 8, ({ breakerOpenings }) => breakerOpenings],
  ['seconds', 8, ({ seconds }) => seconds?.toFixed(1)],
  ['verdict', 8, ({ skipped, faults }) => skipped ? 'skipped' : faults.length === 0 ? 'holds' : 'FAILS']
];

const HOLDS = [
  ['black hole', 30, ({ what }) => what],
  ...[0, 1, 2, 3, 4].map((i) => [`hold ${i + 1}`, 8, ({ holds }) => holds[i].toFixed(0)]),
  ['most later', 11, ({ holds }) => Math.max(...holds.slice(5)).toFixed(0)],
  ['sum, ms', 9, ({ holds }) => holds.reduce((sum, one) => sum + one, 0).toFixed(0)],
  ['invocations', 12, ({ holds }) => holds.length],
  ['requests', 9, ({ ledger }) => ledger?.requests],
  ['connections', 12, ({ ledger }) => ledger?.connections],
  ['verdict', 8, ({ faults }) => faults.length === 0 ? 'holds' : 'FAILS']
];

function printer(columns, markdown) {
  const padded = (cell, i) => i === 0 ? String(cell).padEnd(columns[i][1]) : String(cell).padStart(columns[i][1]);
  const line = (cells) => console.log(markdown ? `| ${cells.join(' | ')} |` : cells.map(padded).join(''));
  line(columns.map(([title]) => title));
  if (markdown) {
    line(columns.map((_, i) => i === 0 ? '---' : '--:'));
  }
  return (result) => line(columns.map(([, , value]) => value(result) ?? '-'));
}

/* Above a table that is kept: when and of what. */
async function measured() {
  const { size } = await stat(BINARY);
  const day = new Date().toISOString().slice(0, 10);
  return `Measured on ${day}, ${availableParallelism()} processors, a binary of ${size.toLocaleString('en')} bytes.\n`;
}

function explain(name, result) {
  if (result.skipped) {
    console.error(`${name}: skipped: ${result.skipped}`);
  }
  for (const text of result.faults) {
    console.error(`${name}: ${text}`);
  }
}

/* A row that cannot be run to its end has failed. */
async function attempt(row, bench) {
  try {
    return await faultRun(row, bench);
  } catch (error) {
    return { row, faults: [error.message] };
  }
}

async function matrix(chosen, markdown, bench) {
  const print = printer(COLUMNS, markdown);
  let good = true;
  for (const row of chosen) {
    const result = await attempt(row, bench);
    print(result);
    explain(row.name, result);
    good &&= result.faults.length === 0;
  }
  return good;
}

async function holds(markdown, bench) {
  const print = printer(HOLDS, markdown);
  let good = true;
  for (const hole of blackHoles) {
    const result = { what: hole.what, ...await hole.run(bench) };
    print(result);
    explain('black-hole', result);
    good &&= result.faults.length === 0;
  }
  return good;
}

function readOptions() {
  const { values, positionals } = parseArgs({
    allowPositionals: true, options: { markdown: { type: 'boolean' }, list: { type: 'boolean' } }
  });
  const chosen = positionals.length === 0 ? rows.filter((row) => !row.long) :
      rows.filter(({ name }) => positionals.some((one) => name.startsWith(one)));
  const unknown = positionals.filter((one) => one !== 'black-hole' && !rows.some(({ name }) => name.startsWith(one)));
  if (unknown.length > 0) {
    throw new TypeError(`no such row: ${unknown.join(', ')}; --list tells their names`);
  }
  return { ...values, chosen, hole: positionals.includes('black-hole') };
}

async function run({ chosen, hole, markdown }) {
  const bench = await Bench.start();
  try {
    if (markdown) {
      console.log(await measured());
    }
    const withstood = chosen.length === 0 || await matrix(chosen, markdown, bench);
    return (!hole || await holds(markdown, bench)) && withstood;
  } finally {
    await bench.stop();
  }
}

let options;
try {
  options = readOptions();
} catch (error) {
  console.error(`${error.message}\n${USAGE}`);
  process.exit(2);
}
if (options.list) {
  rows.forEach(({ name, what, long, asIn }) =>
    console.log(`${name.padEnd(50)}${what}${long ? ' (only by name)' : ''}${asIn ? ` (as ${asIn})` : ''}`));
} else {
  process.exitCode = await run(options) ? 0 : 1;
}
