/*
 * Actions that documents name, in policies and in their text, are ones that AWS has: operations of the services'
 * models, or those of IAM's that are called otherwise.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { TOP } from '../tidy/tree.mjs';
import { documents } from './documents.mjs';

/* No calls, or calls by another name; AWS's "Service Authorization Reference" has them. */
const NO_OPERATIONS = ['iam:PassRole', 's3:ListBucket', 's3:ListBucketMultipartUploads', 's3:ListMultipartUploadParts'];
/* Keys of conditions, and a setting's value. */
const NO_ACTIONS = /^(aws|fixed):/;

const UNKNOWN = `
import json, sys, botocore.session
session = botocore.session.get_session()
services = session.get_available_services()
def known(one):
    service, name = one.split(':')
    return service in services and name in session.get_service_model(service).operation_names
print(json.dumps([one for one in sys.argv[1:] if not known(one)]))`;

test('actions are ones that there are', async () => {
  const named = documents().flatMap(({ text }) => text.match(/(?<![\w:./-])[a-z][a-z0-9-]*:[A-Z]\w+(?![\w:])/g) ?? []);
  const actions = [...new Set(named)].filter((one) => !NO_ACTIONS.test(one) && !NO_OPERATIONS.includes(one));
  assert.ok(actions.length > 50);
  const { stdout } = await promisify(execFile)(join(TOP, 'build/python/bin/python'), ['-c', UNKNOWN, ...actions]);
  assert.deepEqual(JSON.parse(stdout), []);
});

test('what writes to the stream is one action, but in the history', () => {
  const wrong = documents().filter(({ path, text }) => !path.endsWith('CHANGELOG.md') && /kinesis:Put(?!Records\b)\w+/.test(text));
  assert.deepEqual(wrong.map(({ path }) => path), []);
});
