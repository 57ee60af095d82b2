/*
 * Counting what arrived against what was sent.
 */
import assert from 'node:assert/strict';

/*
 * sent, arrived   arrays of strings or Buffers. Compared as multisets of bytes.
 * Returns { lost, duplicated, foreign }: arrays; what arrived more often than it was sent is
 * duplicated when it was sent at all, else foreign.
 */
export function compare(sent, arrived) {
  const left = new Map();
  const known = new Set();
  for (const one of sent) {
    const key = Buffer.from(one).toString('latin1');
    known.add(key);
    left.set(key, (left.get(key) ?? 0) + 1);
  }
  const duplicated = [];
  const foreign = [];
  for (const one of arrived) {
    const key = Buffer.from(one).toString('latin1');
    const open = left.get(key) ?? 0;
    if (open > 0) {
      left.set(key, open - 1);
    } else {
      (known.has(key) ? duplicated : foreign).push(one);
    }
  }
  const lost = [...left].flatMap(([key, count]) => Array(count).fill(key));
  return { lost, duplicated, foreign };
}

function brief(list) {
  return list.slice(0, 3).map((one) => String(one).slice(0, 200)).join(' | ');
}

/* Each of `sent` arrived once, and nothing else. */
export function assertSame(sent, arrived) {
  const { lost, duplicated, foreign } = compare(sent, arrived);
  const counts = { lost: lost.length, duplicated: duplicated.length, foreign: foreign.length };
  assert.deepEqual(counts, { lost: 0, duplicated: 0, foreign: 0 },
    `sent ${sent.length}, arrived ${arrived.length}, ${JSON.stringify(counts)}; ` +
    `lost: ${brief(lost)}; duplicated: ${brief(duplicated)}; foreign: ${brief(foreign)}`);
}

/* Each of `sent` arrived once or more, and nothing else: what at-least-once promises. */
export function assertNoneLost(sent, arrived) {
  const { lost, foreign } = compare(sent, arrived);
  assert.deepEqual({ lost: lost.length, foreign: foreign.length }, { lost: 0, foreign: 0 },
    `sent ${sent.length}, arrived ${arrived.length}; lost: ${brief(lost)}; foreign: ${brief(foreign)}`);
}
