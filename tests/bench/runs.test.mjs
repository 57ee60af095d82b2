/*
 * Runs whose figures are compared take turns, whatever the machine does meanwhile.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RUNS, inTurns, perform } from './runs.mjs';

const OURS = { name: 'ours', program: 'ours' };

test('those of one table take turns, others are made by themselves', () => {
  assert.deepEqual(inTurns(['load200', 'selection all', 'volume 200 10 lines', 'selection level', 'volume 200 10 gzip', 'rate']),
    [['load200'], ['selection all', 'selection level'], ['volume 200 10 lines', 'volume 200 10 gzip'], ['rate']]);
  for (const names of inTurns(Object.keys(RUNS))) {
    assert.equal(new Set(names.map((name) => RUNS[name].rounds)).size, 1, names.join());
  }
});

test('round by round, and what fails is left out', async () => {
  const made = [];
  const run = (program, options) => {
    made.push(options);
    return options === RUNS['selection level'].options ? Promise.reject(new Error('lost')) : Promise.resolve(made.length);
  };
  const failures = {};
  const results = await perform(['selection all', 'selection level', 'selection tenth'], [OURS], { run }, failures);
  const [all, level, tenth] = ['all', 'level', 'tenth'].map((name) => RUNS[`selection ${name}`].options);
  assert.deepEqual(made, [all, level, tenth, all, tenth, all, tenth, all, tenth, all, tenth]);
  assert.deepEqual(results, { 'selection all': { ours: [1, 4, 6, 8, 10] }, 'selection level': {}, 'selection tenth': { ours: [3, 5, 7, 9, 11] } });
  assert.deepEqual(failures, { 'ours selection level': 'lost' });
});
