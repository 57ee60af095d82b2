/*
 * What the documents show: the text below `<!-- snippet: NAME -->` in one of them, without its fence.
 */
import { readFileSync } from 'node:fs';

const DOCUMENTS = ['README.md', 'cdk/README.md', 'layer/README.md', 'src/README.md', 'src/OPERATING.md', 'tests/README.md'];
const ALL = DOCUMENTS.map((name) => readFileSync(new URL(`../../../${name}`, import.meta.url), 'utf8')).join('');

export function snippet(name) {
  const [, text] = ALL.split(`<!-- snippet: ${name} -->\n`)[1]?.match(/^```\w+\n([^]*?)^```$/m) ?? [];
  if (text === undefined) {
    throw new Error(`no document has a snippet ${name}`);
  }
  return text;
}
