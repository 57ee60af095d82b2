#!/usr/bin/env node
/*
 * What no formatter or linter looks at: check.mjs [CHECK...]. Prints what is wrong, a line each. Exit status 0:
 * nothing. 1: something. 2: no such check.
 */
import { circles } from './circles.mjs';
import { documentFaults } from './documents.mjs';
import { messages } from './messages.mjs';
import { names } from './names.mjs';
import { sizes } from './sizes.mjs';
import { texts } from './text.mjs';
import { tree } from './tree.mjs';

const CHECKS = { circles, documents: documentFaults, messages, names, sizes, texts };

const chosen = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(CHECKS);
if (!chosen.every((one) => one in CHECKS)) {
  console.error(`usage: check.mjs [${Object.keys(CHECKS).join(' | ')}]...`);
  process.exit(2);
}
const paths = tree();
const faults = chosen.flatMap((one) => CHECKS[one](paths));
faults.forEach((fault) => console.log(fault));
process.exitCode = faults.length > 0 ? 1 : 0;
