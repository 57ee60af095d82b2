/*
 * The line by which images take the extension is one and the same wherever it is shown; image.test.mjs builds with it.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { read } from '../tidy/tree.mjs';
import { documents, snippet } from './documents.mjs';

const [, from] = snippet('Dockerfile').match(/^ARG EXTENSION=(\S+)$/m);
const LINE = `COPY --from=${from} /opt/ /opt/\n`;

for (const name of ['front-Dockerfile', 'copy.Dockerfile']) {
  test(`${name}: the line, with the name that the long form has`, () => assert.equal(snippet(name), LINE));
}

test('the long form copies the same', () => {
  assert.ok(snippet('Dockerfile').includes('\nFROM ${EXTENSION} AS extension\n'));
  assert.ok(snippet('Dockerfile').includes('\nCOPY --from=extension /opt/ /opt/\n'));
});

test('images that are shown are of this version', () => {
  const version = read('src/VERSION').trim();
  const shown = documents().flatMap(({ text }) => [...text.matchAll(/\b(?:extension|NAME):(\d+\.\d+\.\d+)/g)].map(([, one]) => one));
  assert.ok(shown.length > 5);
  assert.deepEqual([...new Set(shown)], [version]);
});
