/*
 * Every block of every document belongs to a test, and every name of a block is there once. What a block shows is right
 * by the test that it belongs to; that its JSON is JSON is shown here.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { claimants } from './claims.mjs';
import { blocks, documents, parse, snippet, table, tables, unseen } from './documents.mjs';
import { read } from '../tidy/tree.mjs';

const where = ({ path, line }) => `${path}:${line}`;

test('every block has a language: pictures and what is printed are text', () => {
  assert.deepEqual(blocks().filter(({ language }) => language === '').map(where), []);
});

test('there are no blocks but those that are found', () => {
  assert.deepEqual(documents().flatMap((one) => unseen(one).map((line) => `${one.path}:${line}`)), []);
});

test('what is text is no shell', () => {
  const shell = /^(\$ |\.\/build\.sh |(cd|aws|npm|npx|docker|git|node|sam|terraform) [a-z.-])/m;
  assert.deepEqual(blocks().filter(({ language, name, text }) => language === 'text' && name === undefined && shell.test(text)).map(where), []);
});

test('every block belongs to a test', () => {
  /* Shell that nobody claims is commands.test.mjs's. */
  const free = blocks().filter(({ language, name }) => language !== 'sh' &&
    (name === undefined ? language !== 'text' : claimants(name).length === 0));
  assert.deepEqual(free.map((one) => `${where(one)}: ${one.name ?? 'without a name'}`), []);
});

test('no two blocks have one name', () => {
  const names = blocks().flatMap(({ name }) => name ?? []);
  assert.deepEqual(names.filter((name, i) => names.indexOf(name) !== i), []);
});

test('a name stands right above its block', () => {
  const named = blocks().flatMap(({ path, line, name }) => name === undefined ? [] : [`${path}:${line - 1}`]);
  const marks = [...new Set(blocks().map(({ path }) => path))].flatMap((path) => marksOf(path));
  assert.deepEqual(marks.filter((mark) => !named.includes(mark)), []);
});

function marksOf(path) {
  return parse(path, read(path)).prose.filter(({ text }) => /^ *<!-- snippet: /.test(text)).map(({ line }) => `${path}:${line}`);
}

for (const block of blocks().filter(({ language }) => ['json', 'jsonl', 'ndjson'].includes(language))) {
  test(`${where(block)}: JSON`, () => {
    const texts = block.language === 'json' ? [block.text] : block.text.trim().split('\n');
    texts.forEach((text) => JSON.parse(text));
  });
}

test('every row of every table has all its cells', () => {
  const even = ({ columns, rows }) => rows.length > 0 && rows.every((row) => row.length === columns.length);
  assert.deepEqual(tables().filter((one) => !even(one)).map(where), []);
});

/* --- the finder itself ------------------------------------------------------------------------- */

const FOUND = parse('x.md', [
  '# A `code` & more', '<!-- snippet: a.sh -->', '```sh', '# no heading', '', '```',
  '## Twice', '* in a list:', '', '  ```json', '  {}', '  ```',
  '## Twice', '~~~text', '```', '~~~', ''
].join('\n'));

test('blocks: fences of both kinds, in lists, with names', () => {
  assert.deepEqual(FOUND.blocks.map(({ line, language, name, text }) => [line, language, name, text]), [
    [3, 'sh', 'a.sh', '# no heading\n\n'], [10, 'json', undefined, '{}\n'], [14, 'text', undefined, '```\n']
  ]);
  assert.throws(() => parse('x.md', '```sh\n'), /x\.md:1/);
});

test('what looks like a block to a reader is told, if it is none for tests', () => {
  const seen = (...lines) => unseen(parse('x.md', lines.join('\n')));
  assert.deepEqual(unseen(FOUND), []);
  assert.deepEqual(seen('```sh once', 'false'), [1]);
  assert.deepEqual(seen('> ```sh', '> false', '> ```'), [1, 3]);
  assert.deepEqual(seen('* ```sh', '  false'), [1]);
  assert.deepEqual(seen('Text:', '', '    false'), [3]);
  assert.deepEqual(seen('* A list:', '', '    its second part'), []);
  assert.deepEqual(seen('<pre>false</pre>', 'or <code>false</code>, not `<pre>`'), [1, 2]);
});

test('headings: as GitHub names them', () => {
  assert.deepEqual(FOUND.headings.map(({ anchor }) => anchor), ['a-code--more', 'twice', 'twice-1']);
});

test('what is asked for has to be there, once', () => {
  assert.throws(() => snippet('none'), /no document has the snippet none/);
  assert.throws(() => table('none'), /no document has a table/);
});
