/*
 * What is promised of the encoder, read off what micro_gzip prints.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limits } from './limits.mjs';

/* Of three blocks: how fast ours is, and how much it saves, with zlib at 100 and 5. */
function printed(speeds, ratios) {
  const of = (subject, block, speed, ratio) => [
    { measure: `gzip ${subject} text ${block} KiB`, value: speed, unit: 'GB/s' },
    { measure: `gzip ${subject} text ${block} KiB ratio`, value: ratio, unit: 'times' }
  ];
  return [4, 25, 256].flatMap((block, i) => [
    ...of('ours', block, speeds[i], ratios[i]), ...of('zlib-1', block, 100, 5), ...of('zlib-6', block, 300, 9)
  ]);
}

for (const [name, speeds, ratios, over] of [
  ['all is kept', [161, 191, 300], [5, 4.8, 6], []],
  ['one is slow', [159, 191, 300], [5, 5, 5], ['gzip over zlib 1, speed, text 4 KiB']],
  ['many are not fast', [161, 189, 300], [5, 5, 5], ['gzip over zlib 1, speed, median']],
  ['one is large', [200, 200, 200], [5, 5, 4.7], ['gzip over zlib 1, size, text 256 KiB']]
]) {
  test(name, () => {
    const rows = limits([], printed(speeds, ratios), [], {});
    assert.equal(rows.length, 7);
    assert.deepEqual(rows.filter(({ ok }) => !ok).map((row) => row.name), over);
  });
}

test('without measures there are no limits', () => {
  assert.deepEqual(limits([], [], [], {}), []);
});
