import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './app';

/** The text below `<!-- snippet: NAME -->` in the repository's README. */
export function snippet(name: string): string {
  const readme = readFileSync(join(ROOT, '..', 'README.md'), 'utf8');
  const [, text] = readme.split(`<!-- snippet: ${name} -->\n`)[1]?.match(/^```\w+\n([\s\S]*?)^```$/m) ?? [];
  if (text === undefined) {
    throw new Error(`README.md has no snippet ${name}`);
  }
  return text;
}
