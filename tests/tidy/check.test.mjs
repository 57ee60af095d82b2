/*
 * The checks themselves: what each is there for is found, and what only looks like it is not.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { circlesOf } from './circles.mjs';
import { faultsOf } from './names.mjs';
import { members } from './sizes.mjs';

const EDGES = {
  'a tree': [{ a: ['b', 'c'], b: ['c'], c: [] }, []],
  'two that name each other': [{ a: ['b'], b: ['a'] }, ['a > b > a']],
  'one that names itself': [{ a: ['a'] }, ['a > a']],
  'behind a tail': [{ a: ['b'], b: ['c'], c: ['d'], d: ['b'] }, ['b > c > d > b']]
};
for (const [what, [edges, wanted]] of Object.entries(EDGES)) {
  test(`circles: ${what}`, () => {
    assert.deepEqual(circlesOf(new Map(Object.entries(edges))).map((one) => one.join(' > ')), wanted);
  });
}

const STRUCTS = [
  ['{int a;', 1],
  ['{ int a, *b, c[2]; char d; ', 4],
  ['{ void (*call)(void *context, int status); unsigned bit : 1; ', 2],
  ['{ struct inner {} x; enum kind { } y; ', 2],
  ['{ uint8_t bytes[(A + B) * 2]; ', 1]
];
for (const [text, count] of STRUCTS) {
  test(`members: ${text}`, () => assert.equal(members(text), count));
}

const PATHS = ['README.md', 'build.sh', 'src/', 'src/io/', 'src/io/loop.c', 'src/io/loop.h', 'tests/', 'tests/README.md'];
const NOWHERE = 'lop.h';
const LINES = [
  ['src/io/loop.c', '/* see loop.h */', 0],
  ['src/io/loop.c', `/* see ${NOWHERE} */`, 1],
  ['src/io/loop.c', '#include "nowhere.h"', 0],
  ['src/io/loop.c', '// io/loop.h and src/io/loop.c, but not io/none.c', 1],
  ['README.md', 'see [tests](tests/README.md) and [none](none.md)', 2], /* by its name, and as a link */
  ['README.md', 'built into `build/x.json`, from `src/io/` and `src/oi/`', 1],
  ['README.md', 'an element.c of nothing, v1.2, example.com, *.mjs, `vendor/cache/x.txt`', 1],
  ['README.md', '`./build.sh test unit` and `./build.sh tests`', 1],
  ['tests/x.sh', 'echo none.sh # as in README.md', 0]
];
for (const [path, text, count] of LINES) {
  test(`names: in ${path}: ${text}`, () => {
    const found = faultsOf(path, text, new Set(PATHS), new Set(['test', 'build']));
    assert.equal(found.length, count, found.join('\n'));
  });
}
