import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { snippet } from './support/readme';
import { temporaryFolder } from './support/temporary';

/** A program of the PATH. */
function found(name: string): string | undefined {
  return process.env.PATH!.split(delimiter).map((folder) => join(folder, name)).find((path) => existsSync(path));
}

// Stands in for the AWS CLI: keeps each request, and refuses a record of the first one as often as asked to.
const AWS = `#!/usr/bin/env node
const { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } = require('node:fs');
const args = process.argv.slice(2);
const value = (name) => args[args.indexOf(name) + 1];
const request = JSON.parse(readFileSync(value('--cli-input-json').replace(/^file:\\/\\//, ''), 'utf8'));
if (args.slice(0, 2).join(' ') !== 'kinesis put-records' || value('--query') !== 'FailedRecordCount' || value('--output') !== 'text') {
  process.exit(2);
}
if (existsSync('refuse')) {
  rmSync('refuse');
  console.log(1);
} else if (existsSync('fail')) {
  rmSync('fail');
  process.exit(255);
} else {
  const encoding = { 'raw-in-base64-out': 'utf8', base64: 'base64' }[value('--cli-binary-format')];
  const records = request.Records.map(({ Data, PartitionKey }) => [Buffer.from(Data, encoding).toString('hex'), PartitionKey]);
  writeFileSync('sent-' + readdirSync('.').filter((name) => name.startsWith('sent-')).length, JSON.stringify([request.StreamName, records]));
  console.log(0);
}
`;

/** Lines as the extension writes them, and what each is in the stream. */
function lines(): { text: string; record: [string, string] }[] {
  const data = [
    ...Array.from({ length: 1200 }, (_, i) => `line ${i}`),
    '{"a":"\\u0000 \\\\ % & \\" 🐟"}',
    // Records of several events.
    '{"a":1}\n{"b":"\\n"}\n', 'a line\n'.repeat(40_000),
    ...Array.from({ length: 12 }, (_, i) => `${i}${'x'.repeat(900_000)}`),
  ];
  const binary = [
    ...Array.from({ length: 700 }, (_, i) => Buffer.from([0x80, i & 255, i >> 8])),
    // The same, compressed.
    gzipSync('{"a":1}\n{"b":2}\n'), gzipSync(randomBytes(200_000)),
  ];
  return [
    ...data.map((text, i) => ({ text: JSON.stringify({ Data: text, PartitionKey: `k${i}` }), bytes: Buffer.from(text), key: `k${i}` })),
    ...binary.map((bytes, i) => ({ text: JSON.stringify({ DataBase64: bytes.toString('base64'), PartitionKey: `b${i}` }), bytes, key: `b${i}` })),
  ].map(({ text, bytes, key }) => ({ text, record: [bytes.toString('hex'), key] }));
}

/** The snippet, by a shell and an awk, on two files in which both kinds of lines are mixed. */
function replay(shell: string[], awk: string, hindrance?: string) {
  const folder = temporaryFolder();
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  writeFileSync(join(bin, 'aws'), AWS, { mode: 0o755 });
  symlinkSync(awk, join(bin, 'awk'));
  const all = lines();
  for (const odd of [0, 1]) {
    const mine = all.filter((_, i) => i % 2 === odd).map(({ text }) => `${text}\n`);
    writeFileSync(join(folder, `2026-${odd}.ndjson`), mine.join(''));
  }
  if (hindrance !== undefined) {
    writeFileSync(join(folder, hindrance), '');
  }
  const run = (script: string) => {
    const { stderr } = spawnSync(shell[0], [...shell.slice(1), '-c', script], {
      cwd: folder,
      env: { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}` },
      encoding: 'utf8',
    });
    assert.equal(stderr, '');
    return readdirSync(folder).filter((name) => name.startsWith('replay-'));
  };
  const sent = () => {
    const requests = readdirSync(folder).filter((name) => name.startsWith('sent-')).map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')));
    for (const [stream, records] of requests) {
      const size = records.reduce((sum: number, [hex, key]: string[]) => sum + hex.length / 2 + key.length, 0);
      assert.equal(stream, 'my-stream');
      assert.ok(records.length <= 500 && size <= 5 * 1024 * 1024);
    }
    return requests.flatMap(([, records]) => records).sort();
  };
  return { run, sent, all: all.map(({ record }) => record).sort() };
}

describe('what src/README.md shows of dead letters', () => {
  const script = snippet('replay.sh');
  const [, again] = script.split(/^# What is delivered is removed.*$/m);

  // As many of them as there are on this machine.
  const awks = ['mawk', 'gawk', 'original-awk', 'busybox'].flatMap((name) => found(name) ?? []);
  for (const awk of awks) {
    it(`puts all of them into the stream with ${awk}`, () => {
      const shell = awk.endsWith('busybox') ? [awk, 'sh'] : ['sh'];
      const { run, sent, all } = replay(shell, awk);
      assert.deepEqual(run(script), []);
      assert.deepEqual(sent(), all);
    });
  }

  it('has an awk to try', () => assert.ok(awks.length > 0 || found('awk') !== undefined));

  for (const hindrance of ['refuse', 'fail']) {
    it(`keeps a request for another time (${hindrance})`, () => {
      const { run, sent, all } = replay(['sh'], found('awk')!, hindrance);
      assert.equal(run(script).length, 1);
      assert.ok(sent().length < all.length);
      assert.deepEqual(run(again), []);
      assert.deepEqual(run(again), []);
      assert.deepEqual(sent(), all);
    });
  }
});
