/*
 * The check of documents itself: each fault is found, and what only looks like one is not.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { externalFault, faultsIn } from './documents.mjs';

const PATHS = ['README.md', 'src/', 'src/io/', 'src/io/loop.c', 'tests/', 'tests/README.md'];

/* The document README.md, and how many faults it has. */
const DOCUMENTS = [
  ['[a](src/), [b](./tests/README.md#two-words), [c](#a-code-c), [d](.), ![p](src/io/loop.c)\n# A `code` [c](x)\n', 1], /* x */
  ['[a](none.md), [b](src/none/), ![p](none.svg), <img src="none.png">', 4],
  ['[a](#none), [b](tests/README.md#none)', 2],
  ['[a](#twice-1), [b](#twice-2)\n# Twice\n# Twice\n', 1],
  ['[a](#not-a-heading)\n```sh\n# not a heading\n```\n', 1],
  ['[a]: none.md\n', 1],
  ['`[a](none.md)`\n```md\n[a](none.md)\n```\n', 0],
  ['[a](<none.md>), [b]( none.md ), [c](none.md \'title\'), [d](none.md "title")', 4],
  ["<img src='none.png'> <a href=none.md>x</a> <IMG SRC = \"none.svg\">", 3],
  ['[a](\nsrc/)\n[b](src/', 2],
  ['[a][none], [c][there]\n\n[there]: src/\n', 1],
  ['[a](https://aws.amazon.com/x) and [b](https://aws.amazon.com/x/)', 1],
  ['line\n'.repeat(250), 0],
  ['line\n'.repeat(251), 1]
];
for (const [text, count] of DOCUMENTS) {
  test(`documents: ${text.slice(0, 70)}`, () => {
    const found = faultsIn([['README.md', text], ['tests/README.md', '* [Two words](#two-words)\n## Two words\n']], new Set(PATHS));
    assert.equal(found.length, count, found.join('\n'));
  });
}

const MANUALS = [
  ['* [One](#one)\n  * [Deeper](#deeper)\n* [Two](#two)\n## One\n### Deeper\n## Two\n', 0],
  ['## Contents\n* [One](#one)\n## One\n', 0],
  ['## One\n* [One](#one)\n', 1],
  ['* [Two](#two)\n* [One](#one)\n## One\n## Two\n', 1],
  ['* [One](#one)\n## One\n## Two\n', 1],
  ['* [Other words](#one)\n## One\n', 1],
  ['* [One](#one)\n* [One](#one)\n## One\n', 1]
];
for (const [text, count] of MANUALS) {
  test(`documents: the contents of ${text.replaceAll('\n', ' ')}`, () => {
    const found = faultsIn([['src/README.md', text]], new Set(['src/README.md']));
    assert.equal(found.length, count, found.join('\n'));
  });
}

const ADDRESSES = {
  'https://docs.aws.amazon.com/lambda/latest/dg/x.html#y': true, 'mailto:a@example.com': true, 'http://example.com/': false,
  'https//example.com': false, 'https://example': false, 'https://example.com/a//b': false, 'https://example.com/a.': false
};
for (const [link, good] of Object.entries(ADDRESSES)) {
  test(`documents: ${link}`, () => assert.equal(externalFault(link) === null, good));
}
