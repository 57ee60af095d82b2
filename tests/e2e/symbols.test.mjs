/*
 * What the objects that ship need, as far as they have been built: src/io/system_linux.c is the one door to the
 * system, and src/protocol computes from its arguments alone.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { built } from './support/stand.mjs';

const SRC = fileURLToPath(new URL('../../src', import.meta.url));
const DOOR = 'io/system_linux.c';

/* C's functions on memory and strings, none of which asks the system for anything. */
const MEMORY = ['memchr', 'memcmp', 'memcpy', 'memmove', 'memset', 'strchr', 'strcmp', 'strlen', 'strncmp', 'strncpy',
  'strnlen', 'strrchr'];
/* What the compiler puts in: the stack protector, and how position-independent code finds its data. */
const COMPILER = ['__stack_chk_fail', '__stack_chk_guard', '_GLOBAL_OFFSET_TABLE_'];

function sources(folder = '') {
  return readdirSync(join(SRC, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? sources(path) : path.endsWith('.c') ? [path] : [];
  });
}

/* { needs, has }: global names. */
function symbols(object) {
  const lines = execFileSync('nm', ['-g', object], { encoding: 'utf8' }).trim().split('\n');
  const names = (wanted) => lines.map((line) => line.trim().split(/\s+/))
    .filter((words) => (words.at(-2) === 'U') === wanted).map((words) => words.at(-1));
  return { needs: names(true), has: names(false) };
}

for (const cpu of ['x86_64', 'arm64']) {
  const folder = join(dirname(built(cpu)), 'obj/src');
  describe(`the objects for ${cpu}`, { skip: !existsSync(built(cpu)) && 'not built' }, () => {
    const sourceFiles = existsSync(built(cpu)) ? sources() : [];
    const files = new Map(sourceFiles.map((path) => [path, symbols(join(folder, path.replace(/c$/, 'o')))]));
    const paths = (prefix) => [...files.keys()].filter((path) => path.startsWith(prefix));
    const anchors = sourceFiles.length > 0 ? symbols(join(folder, 'trust_anchors.o')).has : [];

    /* What these files need, less what those have. */
    function lacking(needers, havers, allowed) {
      const known = new Set([...havers.flatMap((path) => files.get(path).has), ...allowed]);
      return needers.flatMap((path) => files.get(path).needs.filter((name) => !known.has(name)).map((name) => `${path}: ${name}`));
    }

    test('a call of the system is named in one file alone', () => {
      const others = paths('').filter((path) => path !== DOOR);
      const needs = lacking(others, paths(''), [...MEMORY, ...COMPILER, ...anchors]);
      assert.deepEqual(needs.filter((one) => !/: br_\w+$/.test(one)), []);
    });

    test('that file names them', () => {
      const needs = files.get(DOOR).needs;
      for (const name of ['clock_gettime', 'getrandom', 'environ', 'mmap', 'epoll_wait', 'connect', 'send', 'read', 'write']) {
        assert.ok(needs.includes(name), name);
      }
    });

    test('the protocol needs memory and strings', () => {
      assert.deepEqual(lacking(paths('protocol/'), paths('protocol/'), [...MEMORY, ...COMPILER]), []);
    });

    test('what moves bytes needs no actor', () => {
      const needs = lacking(paths('io/').filter((path) => path !== DOOR), [...paths('io/'), ...paths('protocol/')],
        [...MEMORY, ...COMPILER, ...anchors]);
      assert.deepEqual(needs.filter((one) => !/: br_\w+$/.test(one)), []);
    });
  });
}
