/*
 * The consumers that src/README.md shows, in Node.js and Python: each reads records of any form.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { snippet } from './support/documents.mjs';
import { removeFolder, temporaryFolder } from './support/folder.mjs';
import { FORMS } from './support/forms.mjs';
import { jsonRecords, textRecords } from './support/lines.mjs';
import { allDelivered, data, log, useBench } from './support/scenario.mjs';
import { assertSame } from './support/tally.mjs';

const { scenario } = useBench();

/* What runs a snippet on an event in the file `event.json`, in its folder. */
const CONSUMERS = {
  'consumer.mjs': [process.execPath, '--input-type=module', '-e',
    "import { readFileSync } from 'node:fs'; import { handler } from './consumer.mjs';" +
    "await handler(JSON.parse(readFileSync('event.json')));"],
  'consumer.py': ['python3', '-c', "import json, consumer; consumer.handler(json.load(open('event.json')), None)"]
};

let folder;

before(async () => {
  folder = await temporaryFolder('consumers-');
  for (const name of Object.keys(CONSUMERS)) {
    await writeFile(join(folder, name), snippet(name));
  }
});

after(() => removeFolder(folder));

/* As Lambda hands records of a stream to a function. */
function invocation(records) {
  return {
    Records: records.map((one) => ({
      eventSource: 'aws:kinesis',
      kinesis: { partitionKey: one.partitionKey, data: one.data.toString('base64') }
    }))
  };
}

for (const form of [{ name: 'one event a record', env: {} }, ...FORMS.filter(({ messages }) => !messages)]) {
  scenario(`${form.name}: Node.js and Python read each event once`, { env: form.env }, async (stand) => {
    const records = [...jsonRecords(100), ...textRecords(100, 80), { record: '"ü 🐟\\n"', data: '"ü 🐟"' }, { record: '1', data: '1' }];
    await log(stand, records);
    const end = await allDelivered(stand, records.length);
    await writeFile(join(folder, 'event.json'), JSON.stringify(invocation(end.records)));
    for (const [name, [command, ...args]] of Object.entries(CONSUMERS)) {
      const lines = execFileSync(command, args, { cwd: folder, encoding: 'utf8' }).split('\n').filter(Boolean);
      assertSame(data(records), lines.map((line) => JSON.stringify(JSON.parse(line))));
      assert.ok(snippet(name).split('\n').filter(Boolean).length <= 12);
    }
  });
}
