import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './app';

const DOCUMENTS = ['README.md', 'cdk/README.md', 'layer/README.md', 'src/README.md', 'src/OPERATING.md', 'tests/README.md'];

/** The text below `<!-- snippet: NAME -->` in one of the repository's documents. */
export function snippet(name: string): string {
  const all = DOCUMENTS.map((document) => readFileSync(join(ROOT, '..', document), 'utf8')).join('');
  const [, text] = all.split(`<!-- snippet: ${name} -->\n`)[1]?.match(/^```\w+\n([\s\S]*?)^```$/m) ?? [];
  if (text === undefined) {
    throw new Error(`no document has a snippet ${name}`);
  }
  return text;
}
