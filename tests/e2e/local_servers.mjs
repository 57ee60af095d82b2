#!/usr/bin/env node
/*
 * What becomes of 10,000 lines that the extension sends to local servers with its default settings.
 *
 *   node local_servers.mjs [NAME...]
 *
 * Exit status 0: none was lost anywhere, and none is there twice that the ledger does not know of.
 * 1: not so. 2: wrong options.
 */

/* The SDK's announcement about old versions of Node belongs to its users, not into our output. */
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';

const { SERVERS, localFaults, localRun } = await import('./support/local_servers.mjs');

const LINES = 10_000;

const names = process.argv.slice(2);
const unknown = names.find((name) => !(name in SERVERS));
if (unknown !== undefined) {
  console.error(`local_servers.mjs: ${unknown} is none of: ${Object.keys(SERVERS).join(', ')}`);
  process.exit(2);
}

function row(cells) {
  console.log(cells.map((cell, i) => i === 0 ? String(cell).padEnd(26) : String(cell).padStart(12)).join(''));
}

row(['server', 'lines', 'lost', 'duplicates', 'possible', 'requests', 'seconds', 'verdict']);
for (const name of names.length > 0 ? names : Object.keys(SERVERS)) {
  const result = await localRun(name, LINES);
  const faults = localFaults(result);
  const { lines, lost, duplicates, ledger, seconds } = result;
  row([name, lines, lost, duplicates, ledger?.duplicatesPossible, ledger?.requests, seconds.toFixed(1),
    faults.length === 0 ? 'holds' : 'FAILS']);
  for (const fault of faults) {
    console.log(`  ${fault}`);
    process.exitCode = 1;
  }
}
