/*
 * Options and their defaults, as documents name them, are those of the programs: of the SAM application, the Terraform
 * module, layer/publish.sh and `verify`.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { read } from '../tidy/tree.mjs';
import { documents, table, tables } from './documents.mjs';

const quoted = (text) => [...text.matchAll(/`([^`]+)`/g)].map(([, word]) => word);

test('parameters of the SAM application', () => {
  const [, parameters] = read('cdk/sam/template.yaml').match(/^Parameters:\n([^]*?)^\w/m);
  const made = [...parameters.matchAll(/^ {2}(\w+):\n(?: {4}.*\n)*? {4}Default: (.*)/gm)].map(([, name, preset]) => [name, preset]);
  const shown = table('Parameter (`--parameter-overrides NAME=VALUE`)').map(([name, , preset]) => [quoted(name)[0], quoted(preset)[0] ?? "''"]);
  assert.deepEqual(shown, made);
});

test('variables of the Terraform module', () => {
  const made = [...read('cdk/terraform/variables.tf').matchAll(/^variable "(\w+)" \{\n(?: {2}.*\n)*? {2}default +=(.*)/gm)]
    .map(([, name, preset]) => [name, preset.match(/"(.*)"/)?.[1]]);
  const { rows } = tables().find(({ path, columns }) => path === 'cdk/README.md' && columns.join() === 'Variable,,Default');
  const shown = rows.flatMap(([named, , preset]) => quoted(named).map((name, i) => [name, i === 0 ? quoted(preset)[0] : undefined]));
  assert.deepEqual(shown.map(([name]) => name), made.map(([name]) => name));
  /* The zip's is null, and then the one that is told. */
  assert.deepEqual(shown.filter(([name]) => name !== 'layer_zip'), made.filter(([name]) => name !== 'layer_zip'));
});

test('options of layer/publish.sh, those about others in their table too', () => {
  const [, usage] = read('layer/publish.sh').match(/<<'END'\n([^]*?)\nEND\n/);
  const made = [...usage.matchAll(/^ {2}(--[a-z-]+(?: [A-Z]+)?) /gm)].map(([, option]) => option).filter((option) => option !== '--help');
  const named = (column) => table('Option', column).flatMap(([options]) => quoted(options));
  assert.deepEqual(named('').sort(), made.toSorted());
  assert.deepEqual(named('Who'), ['--account ID', '--organization ID', '--public']);
});

test('options of layer/publish.sh wherever it is called', () => {
  const usage = read('layer/publish.sh');
  const called = documents().flatMap(({ text }) => [...text.matchAll(/layer\/publish\.sh ([^`\n]*)/g)].flatMap(([, words]) => words.match(/--[\w-]+/g) ?? []));
  assert.ok(called.length > 0);
  assert.deepEqual(called.filter((option) => !new RegExp(`^ {2}${option} `, 'm').test(usage)), []);
});
