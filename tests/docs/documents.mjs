/*
 * The repository's documents, taken apart: what the tests of documents, and tests that run what a document shows, read
 * them by. Which document something is in does not matter to them.
 *
 *   snippet('consumer.py')                   the block below <!-- snippet: consumer.py -->, in whatever document
 *   table('Variable', 'Default', 'Meaning')  the rows of the one table that begins with these columns
 *   node tests/docs/documents.mjs NAME       prints a snippet, for scripts
 */
import { fileURLToPath } from 'node:url';
import { read, tree } from '../tidy/tree.mjs';

const FENCE = /^( *)(`{3,}|~{3,})([^`\s]*)\s*$/;
const NAME = /^ *<!-- snippet: (\S+) -->$/;
const HEADING = /^(#{1,6}) (.*?)(?: #+)?$/;

/*
 * A document: { path, text, lines, blocks, headings, prose }. Lines are counted from 1.
 *   blocks    [{ path, line, language, name, text }], what is fenced. name: undefined if it has none
 *   headings  [{ line, level, text, anchor }], by GitHub's rule
 *   prose     [{ line, text }], all lines outside of blocks
 */
export function parse(path, text) {
  const lines = text.split('\n');
  const blocks = [];
  const prose = [];
  for (let i = 0; i < lines.length; i += 1) {
    const [, indent, fence, language] = FENCE.exec(lines[i]) ?? [];
    if (fence === undefined) {
      prose.push({ line: i + 1, text: lines[i] });
      continue;
    }
    const end = lines.findIndex((one, at) => at > i && one.trim().startsWith(fence) && one.trim().replaceAll(fence[0], '') === '');
    if (end < 0) {
      throw new Error(`${path}:${i + 1}: a block that does not end`);
    }
    const inside = lines.slice(i + 1, end).map((one) => one.startsWith(indent) ? one.slice(indent.length) : one);
    blocks.push({
      path, line: i + 1, language, name: NAME.exec(lines[i - 1] ?? '')?.[1], text: inside.map((one) => `${one}\n`).join('')
    });
    i = end;
  }
  return { path, text, lines, blocks, prose, headings: headings(prose) };
}

/*
 * Lines that show code without being a block for parse(): a fence in a quote, with more than its language behind it or
 * deeper than a list, an indented block, HTML's own.
 */
export function unseen({ prose }) {
  const indented = ({ text, line }, i) => /^ {4,}\S/.test(text) && prose[i - 1]?.line === line - 1 && prose[i - 1].text === '' &&
    !inList(prose, i);
  return prose.filter((one, i) => /^[\s>*+\d.-]*(`{3}|~{3})/.test(one.text) || /<(pre|code|samp|kbd)\b/i.test(one.text.replace(/`[^`]*`/g, '')) ||
    /^\t/.test(one.text) || indented(one, i)).map(({ line }) => line);
}

function inList(prose, at) {
  const before = prose.slice(0, at).findLast(({ text }) => /^\S/.test(text));
  return /^([*+-]|\d+\.) /.test(before?.text ?? '');
}

/* Markup is not part of an anchor; a heading that comes again gets a number. */
function headings(prose) {
  const seen = new Map();
  return prose.flatMap(({ line, text }) => {
    const [, marks, heading] = HEADING.exec(text) ?? [];
    if (heading === undefined) {
      return [];
    }
    const plain = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
    const anchor = plain.replace(/[^\p{L}\p{M}\p{N}_\- ]/gu, '').replaceAll(' ', '-');
    const before = seen.get(anchor) ?? 0;
    seen.set(anchor, before + 1);
    return [{ line, level: marks.length, text: heading, anchor: before === 0 ? anchor : `${anchor}-${before}` }];
  });
}

/* A tool's. */
const WRITTEN_BY_HAND = /(?<!(^|\/)API)\.md$/;

let parsed;

export function documents() {
  parsed ??= tree().filter((path) => WRITTEN_BY_HAND.test(path)).map((path) => parse(path, read(path)));
  return parsed;
}

export function blocks() {
  return documents().flatMap((one) => one.blocks);
}

function theOne(found, what) {
  if (found.length !== 1) {
    throw new Error(`${found.length === 0 ? 'no document has' : 'documents have more than once'} ${what}`);
  }
  return found[0];
}

export function snippet(name) {
  return theOne(blocks().filter((one) => one.name === name), `the snippet ${name}`).text;
}

/* `\|` is a bar within a cell. */
function cells(row) {
  return row.trim().replace(/^\||\|$/g, '').split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll('\\|', '|'));
}

/* What a cell, or a text, has in backquotes. */
export const quoted = (text) => [...text.matchAll(/`([^`]+)`/g)].map(([, word]) => word);

/* [{ path, line, columns, rows }] */
export function tables() {
  return documents().flatMap(({ path, prose }) => prose.flatMap(({ line, text }, i) => {
    if (!/^\|[-:| ]+\|$/.test(text) || !prose[i - 1]?.text.startsWith('|')) {
      return [];
    }
    const end = prose.findIndex((one, at) => at > i && !one.text.startsWith('|'));
    return [{
      path, line: line - 1, columns: cells(prose[i - 1].text),
      rows: prose.slice(i + 1, end < 0 ? undefined : end).map((one) => cells(one.text))
    }];
  }));
}

export function table(...columns) {
  const found = tables().filter((one) => columns.every((column, i) => one.columns[i] === column));
  return theOne(found, `a table | ${columns.join(' | ')} |`).rows;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.stdout.write(snippet(process.argv[2]));
}
