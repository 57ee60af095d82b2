/*
 * What documents show of the program's own lines and records is what it writes: the same members, steps and columns in
 * the same order. The binary runs on the local platform, with a server that takes everything.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { refuse } from '../e2e/support/faults.mjs';
import { accepting, light } from '../e2e/support/light.mjs';
import { closedPort } from '../e2e/support/ports.mjs';
import { BINARY } from '../e2e/support/stand.mjs';
import { read } from '../tidy/tree.mjs';
import { documents, snippet, table } from './documents.mjs';

/* Names of members in their order, those of objects and of an array's first element below them. */
function members(one) {
  if (Array.isArray(one)) {
    return one.slice(0, 1).map(members);
  }
  return one !== null && typeof one === 'object' ? Object.entries(one).map(([name, value]) => [name, members(value)]) : [];
}

/* Takes everything, and keeps records as bytes. */
function keeping(records) {
  return (exchange) => {
    records.push(...exchange.call.Records.map(({ Data }) => Buffer.from(Data, 'base64')));
    return accepting([])(exchange);
  };
}

const ledger = JSON.parse(snippet('ledger.json'));

light('the ledger', {}, async (stand) => {
  await stand.log(['a', 'b']);
  const end = await stand.finish();
  assert.deepEqual(members(ledger), members(end.ledger));
});

/* The front page has it in words, as the manual's number is rounded. */
light('the most memory, by default', { env: { TELEMETRY_LOG_LEVEL: 'debug' } }, async (stand) => {
  await stand.finish();
  const [bytes] = stand.logs.flatMap(({ message }) => /^start: at most (\d+) bytes/.exec(message)?.[1] ?? []);
  const [, manual] = read('src/README.md').match(/about (\d+) MB with the default queue/);
  assert.equal(Math.round(bytes / 1e6), Number(manual), bytes);
  const words = { ten: 10, eleven: 11, twelve: 12, thirteen: 13, fourteen: 14 };
  const [, word] = read('README.md').match(/(\w+) at most by default/);
  assert.equal(words[word], Number(manual));
});

test('the ledger shown adds up', () => {
  const { dropped, filtered, ...all } = ledger;
  const sum = ({ total, ...parts }) => [total, Object.values(parts).reduce((one, other) => one + other, 0)];
  assert.equal(all.received, all.delivered + all.deadLettered + dropped.total + filtered.total);
  for (const [total, parts] of [dropped, filtered].map(sum)) {
    assert.equal(total, parts);
  }
});

test('every member of the ledger has a row, and every row a member', () => {
  const known = ['time', 'level', 'logger', 'message', 'dropped.total', 'filtered.total'];
  const names = members(ledger).flatMap(([name, below]) => ['dropped', 'filtered'].includes(name) ?
      below.map(([one]) => `${name}.${one}`) : [name]).filter((name) => !known.includes(name));
  const rows = table('Member', 'Meaning').flatMap(([named]) => [...named.matchAll(/`([\w.]+)`/g)].map(([, name]) => name));
  assert.deepEqual(rows.sort(), names.sort());
});

test('the metrics are all named, in their order', () => {
  const made = [...read('src/protocol/ledger.c').matchAll(/^ {4}\{"[^,]*", "(\w+)",/gm)].map(([, name]) => name);
  const named = documents().map(({ text }) => text.match(/metrics (`Received`[^]*?`Queued`)/)?.[1]).filter(Boolean);
  assert.equal(named.length, 1);
  assert.deepEqual([...named[0].matchAll(/`(\w+)`/g)].map(([, name]) => name), [...made, 'Queued']);
});

const kept = [];
light('a record as CloudWatch Logs\' subscriptions have it', {
  env: { TELEMETRY_RECORD_FORMAT: 'cloudwatch' },
  onFront: (front) => {
    front.fault = keeping(kept);
  }
}, async (stand) => {
  await stand.log(['a line\n']);
  await stand.finish();
  const shown = JSON.parse(snippet('cloudwatch-record.json'));
  const record = JSON.parse(gunzipSync(kept[0]));
  assert.deepEqual(members(shown), members(record));
  const [{ message }] = shown.logEvents;
  assert.deepEqual([shown.messageType, shown.subscriptionFilters, message],
    [record.messageType, record.subscriptionFilters, record.logEvents[0].message]);
});

/* The first line shown is that of a text, the second one of bytes. */
for (const [at, compression] of ['none', 'gzip'].entries()) {
  light(`a line of the dead letter, compression ${compression}`, {
    env: { TELEMETRY_DEAD_LETTER: 'stderr', TELEMETRY_COMPRESSION: compression },
    onFront: (front) => {
      const text = ({ Data }) => Buffer.from(Data, 'base64');
      const plain = compression === 'gzip' ? (one) => String(gunzipSync(text(one))) : (one) => String(text(one));
      front.fault = (exchange) => exchange.call.Records.some((one) => plain(one).includes('bad')) ?
          refuse(400, 'InvalidArgumentException', 'Refused by the test.')(exchange) : accepting([])(exchange);
    }
  }, async (stand) => {
    await stand.log(['good', 'bad', 'good']);
    await stand.finish();
    const lines = stand.logs.filter(({ message }) => message === undefined);
    assert.equal(lines.length, 1);
    const shown = snippet('dead-letter-lines').trim().split('\n').map((line) => JSON.parse(line));
    assert.deepEqual([shown.length, Object.keys(shown[at])], [2, Object.keys(lines[0])]);
  });
}

/* --- --check ----------------------------------------------------------------------------------- */

/* [step, status, where the columns begin] of each line; the rest of a line that is broken stands below its message. */
function stepsOf(text) {
  return text.trimEnd().split('\n').flatMap((line) => {
    const [, step, status, time] = /^((\S+) +)((\S+) +)((\d+ ms) +)\S/.exec(line)?.filter((_, i) => i % 2 === 1 || i === 0) ?? [];
    const at = step === undefined ? line.search(/\S/) : step.length + status.length + time.length;
    return step === undefined ? [[null, null, at]] : [[step.trim(), status.trim(), at]];
  });
}

test('--check: steps, their order and columns', async () => {
  const [command, ...lines] = snippet('check-output').split('\n');
  assert.match(command, /^\$ \/opt\/extensions\/kinesis-telemetry-api-extension --check$/);
  const shown = stepsOf(lines.join('\n'));
  const env = {
    AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b', KINESIS_STREAM_NAME: 'logs',
    AWS_ENDPOINT_URL_KINESIS: `http://127.0.0.1:${await closedPort()}`
  };
  const printed = await new Promise((resolve) => {
    execFile(BINARY, ['--check'], { env }, (error, stdout) => resolve(stdout));
  });
  const real = stepsOf(printed).filter(([step]) => step !== null);
  const first = shown.filter(([step]) => step !== null);
  assert.deepEqual(first.map(([step, , at]) => [step, at]), real.map(([step, , at]) => [step, at]));
  assert.ok(shown.every(([, , at]) => at === real[0][2]), 'lines that are broken go on below their messages');
  const states = new Set(['ok', 'failed', 'warning', 'notChecked']);
  assert.deepEqual([...first, ...real].filter(([, status]) => !states.has(status)), []);
  assert.equal(first.at(-1)[1], first.some(([, status]) => status === 'failed') ? 'failed' : 'ok');
  const rows = table('Step', 'Shows').flatMap(([named]) => [...named.matchAll(/`(\w+)`/g)].map(([, step]) => step));
  assert.deepEqual(rows, real.map(([step]) => step).filter((step) => step !== 'result'));
});
