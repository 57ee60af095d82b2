/*
 * The tables of settings are what the program reads: every variable has a row, and no row is without one; its words,
 * bounds and default are those of the source.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { read, tree } from '../tidy/tree.mjs';
import { documents, quoted, tables } from './documents.mjs';

const SOURCE = tree().filter((path) => /^src\/protocol\/settings\w*\.c$/.test(path)).map(read).join('\n');

/* What Lambda sets, and nobody else. */
const LAMBDAS = /^AWS_(LAMBDA_|REGION$|DEFAULT_REGION$|ACCESS_KEY_ID$|SECRET_ACCESS_KEY$|SESSION_TOKEN$|CONTAINER_)/;

const all = tables().filter(({ columns }) => columns.join() === 'Variable,Default,Meaning');
const manual = all.find(({ path }) => path === 'src/README.md');
const front = all.find(({ path }) => path === 'README.md');

/* { variable: { preset, meaning } }; a row may have several variables. */
function settingsOf({ rows }) {
  return Object.fromEntries(rows.flatMap(([named, preset, meaning]) =>
    [...named.matchAll(/`(\w+)`/g)].map(([, name]) => [name, { preset, meaning }])));
}

const settings = settingsOf(manual);

test('every variable that is read has a row, and every row one', () => {
  const names = [...SOURCE.matchAll(/"((?:TELEMETRY|AWS|KINESIS)_[A-Z0-9_]*[A-Z0-9])"/g)].map(([, name]) => name);
  const own = [...new Set(names)].filter((name) => !LAMBDAS.test(name));
  assert.ok(own.length > 40);
  assert.deepEqual(Object.keys(settings).sort(), own.sort());
});

/* WORD("NAME", member, "a, b", PRESET): the preset's enumerator ends with its word. */
const WORDS = [...SOURCE.matchAll(/WORD\("(\w+)", \w+, "([^"]*)",\s*(\w+)\)/g)].filter(([, , words]) => !words.includes('nothing else') &&
  !words.includes('no more'));
for (const [, name, list, preset] of WORDS) {
  test(`${name}: its words, and which is the default`, () => {
    const words = list.split(', ');
    const row = settings[name];
    const shown = [...quoted(row.preset), ...quoted(row.meaning)];
    assert.deepEqual(words.filter((word) => !shown.includes(word)), []);
    const ending = preset.split('_').at(-1).toLowerCase();
    assert.deepEqual(quoted(row.preset).map((word) => word.toLowerCase()), [ending]);
  });
}

/* NUMBER("NAME", member, preset, least, most) */
const NUMBERS = [...SOURCE.matchAll(/NUMBER\("(\w+)",\s*[\w.]+,\s*(\w+),\s*(\w+),\s*(\w+)\)/g)];
const value = (text) => /^\d+$/.test(text) ? text : SOURCE.match(new RegExp(`${text} = (\\d+)`))[1];
for (const [, name, preset, least, most] of NUMBERS) {
  test(`${name}: its bounds, and the default`, () => {
    const row = settings[name];
    assert.equal(quoted(row.preset)[0], value(preset));
    assert.match(row.meaning, new RegExp(`\\b${value(least)}( \\([a-z]+\\))? to ${value(most)}\\b`));
  });
}

test('of timeouts both defaults', () => {
  const far = value('FAR_TIMEOUT_MS');
  for (const name of ['TELEMETRY_CONNECT_TIMEOUT_MS', 'TELEMETRY_REQUEST_TIMEOUT_MS']) {
    assert.equal(quoted(settings[name].preset)[1], far);
  }
});

test('any other default is one of the source\'s own words', () => {
  const known = new Set([...WORDS, ...NUMBERS].map(([, name]) => name));
  assert.ok(known.size > 20);
  for (const [name, { preset }] of Object.entries(settings).filter(([one]) => !known.has(one))) {
    for (const word of quoted(preset).filter((one) => one !== 'false' && one !== '/aws/lambda/FUNCTION')) {
      assert.ok(SOURCE.includes(`"${word}"`), `${name}: ${word}`);
    }
  }
});

test('the front page says the same of those that it names', () => {
  assert.equal(front.rows.length, 10);
  for (const row of front.rows) {
    const names = quoted(row[0]);
    assert.deepEqual(names.filter((name) => !(name in settings)), []);
    const words = names.flatMap((name) => [...quoted(settings[name].preset), ...quoted(settings[name].meaning)]);
    const shown = [...quoted(row[1]), ...quoted(row[2])];
    assert.deepEqual(shown.filter((word) => !words.includes(word) && !row[1].includes(`the stream \`${word}\``)), [], row[0]);
    if (row[0] !== '`KINESIS_STREAM_ARN`') { /* whose default is that of the name, below */
      names.forEach((name) => assert.equal(row[1], settings[name].preset, name));
    }
  }
});

test('the stream that is written to by default', () => {
  assert.equal(settings.KINESIS_STREAM_NAME.preset, quoted(settingsOf(front).KINESIS_STREAM_ARN.preset).map((name) => `\`${name}\``)[0]);
});

/* Whose words are in the row of one of them, and not in the source as a list. */
const SHOWN_IN = { TELEMETRY_TYPES: 'TELEMETRY_TYPES', TELEMETRY_LEVEL: 'TELEMETRY_LEVEL', TELEMETRY_LEVEL_ON_ERROR: 'TELEMETRY_LEVEL',
  TELEMETRY_PARTITION_KEY: 'TELEMETRY_PARTITION_KEY', TELEMETRY_DEAD_LETTER: 'TELEMETRY_DEAD_LETTER' };

test('what a setting is set to anywhere is one that there is, and a word that it takes', () => {
  const faults = documents().flatMap(({ path, text }) => [...text.matchAll(/(?<![\w.])((?:TELEMETRY|KINESIS)_\w+)=([\w,.:/-]*\w)/g)]
    .filter(([, name, word]) => {
      const choice = WORDS.find(([, one]) => one === name)?.[2].split(', ');
      const taken = choice ?? (name in SHOWN_IN && /^[a-z,]+$/i.test(word) ? quoted(settings[SHOWN_IN[name]].meaning) : word.split(','));
      return !(name in settings) || word.split(',').some((one) => !taken.includes(one)) ||
        (NUMBERS.some(([, one]) => one === name) && !/^\d+$/.test(word));
    }).map(([set]) => `${path}: ${set}`));
  assert.deepEqual(faults, []);
});

test('a default that a text has is that of the table', () => {
  const TOLD = /`((?:TELEMETRY|KINESIS|AWS)_\w+)`[^`|.]*`([\w-]+)`, the default\b/g;
  const told = documents().flatMap(({ text }) => [...text.replaceAll('\n', ' ').matchAll(TOLD)]);
  assert.ok(told.length > 0);
  const wrong = told.filter(([, name, word]) => !quoted(settings[name].preset).includes(word));
  assert.deepEqual(wrong.map(([words]) => words), []);
});
