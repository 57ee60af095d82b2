/*
 * Which tests use what documents show. There is no list of them: a test that takes documents apart, and has the name of
 * a block in quotes, is the one that the block belongs to; what helps tests names blocks as examples only. Blocks of
 * shell without a name belong to commands.test.mjs.
 */
import { read, tree } from '../tidy/tree.mjs';

const TEST = /^(?:tests|cdk\/test)\/.*\.(?:test\.mjs|test\.ts|sh|py)$/;
/* How these find a block. */
const FINDS = /documents\.mjs|support\/readme|<!-- snippet: /;

let tests;

export function claimants(name) {
  tests ??= tree().filter((path) => TEST.test(path)).map((path) => [path, read(path)])
    .filter(([, text]) => FINDS.test(text));
  /* `record-${format}` names several. */
  const several = name.includes('-') ? [`\`${name.slice(0, name.indexOf('-') + 1)}\${`] : [];
  const marks = [...several, `'${name}'`, `"${name}"`, `\`${name}\``, `snippet: ${name} `, `documents.mjs ${name}`];
  return tests.filter(([, text]) => marks.some((mark) => text.includes(mark))).map(([path]) => path);
}
