import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = mkdtempSync(join(tmpdir(), 'telemetry-cdk-'));
process.on('exit', () => rmSync(root, { recursive: true, force: true }));

/** A new folder, removed when the process ends. */
export function temporaryFolder(): string {
  return mkdtempSync(join(root, 'folder-'));
}
