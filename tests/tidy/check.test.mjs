/*
 * The checks themselves: what each is there for is found, and what only looks like it is not.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { around, body, calls, conversions, literals, pattern, tokens, written } from './c_text.mjs';
import { circlesOf } from './circles.mjs';
import { rowFaults } from './messages.mjs';
import { faultsOf } from './names.mjs';
import { members } from './sizes.mjs';
import { judge, rows } from '../e2e/support/operating.mjs';

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
  ['README.md', 'see [tests](tests/README.md) and [none](none.md)', 1],
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

const SOURCE = `
#define LOG(x) say(x)
/* say("not me") */
static const char *const words[] = {"one", "two"};
static void
say(const char *format, ...)
{
}

void
speak(int a)
{
    static const char name[] = "na"
                               "me";
    say("%s is %u" MORE " of %.*s, %.*s", a ? "this" : "that", f(a, 1), LOG_SPAN(s), 3, p); // say("nor me")
}
`;

test('C texts: calls and what they are given, without definitions, comments, directives', () => {
  const all = tokens(SOURCE);
  const [call, ...others] = calls(all, new Set(['say']));
  const [format] = literals(call.args[0]);
  assert.deepEqual([others.length, call.line, format], [0, 15, '%s is %u… of %.*s, %.*s']);
  assert.equal(pattern(format), '… is … of …, …');
  assert.deepEqual(conversions(format, call.args.slice(1)).map((one) => written(one.tokens)),
    ['a?"this":"that"', 'f(a,1)', 'LOG_SPAN(s)', 'p']);
  assert.deepEqual(literals(body(all, 'words')), ['one', 'two']);
  assert.deepEqual(literals(body(all, 'speak')).slice(1, 4), [format, 'this', 'that']);
  assert.deepEqual(literals(body(around(all, call.at), 'name')), ['name']);
  assert.equal(body(all, 'nobody'), null);
});

const PAGE = `
<!-- table: messages -->
| Message | Level | |
|---|---|---|
| \`call to …: REASON\` | error; info if it is so; once | |
| \`a.b\` | always | |

<!-- table: reasons -->
| Reason | |
|---|---|
| \`no way\`, \`error …\` | |
`;
const JUDGED = [
  ['error', 'call to me: no way', true], ['info', 'call to me: error 5', true], ['error', 'call to me: 400 Some.Code: words', true],
  ['error', 'call to me: no way (SETTING)', true], ['error', 'call to me: some way', false], ['warn', 'call to me: no way', false],
  ['error', 'a call to me: no way', false], ['info', 'a.b', true], ['info', 'axb', false], ['error', 'a.b', false]
];
for (const [level, message, known] of JUDGED) {
  test(`lines: ${level}: ${message}`, () => assert.equal(judge(PAGE)({ level, message }) === null, known));
}

/* Rows, and how many faults they have. */
const ROWS = [
  ['messages', '| `aa` | warn | what it means | what to do |', 0],
  ['messages', '| `aa` | warn | what it means | |', 1],
  ['messages', '| `aa` | warn | - | [](README.md#ledger) |', 2],
  ['reasons', '| `aa`, `bb` | wait |\n| `bb` | do not |', 1],
  ['check', '| `tls` | `aa` | do |\n| `tls` | `aa` | do not |', 1],
  ['check', '| `tls` | `aa` | do |\n| `clock` | `aa` | do |', 0]
];
for (const [name, lines, count] of ROWS) {
  test(`rows: ${lines}`, () => {
    assert.equal(rowFaults(rows(`<!-- table: ${name} -->\n| Head |\n|---|\n${lines}\n`)).length, count);
  });
}
