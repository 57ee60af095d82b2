/*
 * The tables of src/OPERATING.md that say what each line of the extension means.
 *
 *   const { messages } = tables(text);        // Map: text → { levels, spans }
 *   const all = rows(text);                    // [{ name, texts, cells }]
 *   const fault = judge(text)(line);           // a line that has no row, or is at another level; or null
 *   const logs = knownLines(lines);            // throws it
 *
 * `<!-- table: NAME -->` stands above each; several of a name are one. The first cell has one text, or several, in
 * backquotes, with … for what varies, and REASON for one of the table `reasons`.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const NAMES = ['messages', 'reasons', 'settings', 'codes', 'check', 'outside'];
const LEVELS = ['always', 'debug', 'error', 'info', 'warn'];
/* Messages are cut at 1,500 bytes. */
const MAY_BE_CUT = 1_400;

const spansOf = (cell) => [...cell.matchAll(/`([^`]*)`/g)].map(([, text]) => text.replaceAll('\\|', '|'));

/* Below the two lines of its head. */
function cellsOf(table) {
  return table.split('\n').filter((line) => line.startsWith('|')).slice(2)
    .map((line) => line.split(/(?<!\\)\|/).slice(1, -1).map((cell) => cell.trim()));
}

/* texts: what the row is about. Both what is said and what is to be done are texts of --check. */
export function rows(page) {
  return [...page.matchAll(/^<!-- table: (\w+) -->\n+((?:\|.*\n)+)/gm)].flatMap(([, name, table]) =>
    cellsOf(table).map((cells) => ({
      name, cells, texts: name === 'check' ? cells.slice(1, 3).flatMap(spansOf) : spansOf(cells[0])
    })));
}

export function tables(page) {
  const all = Object.fromEntries(NAMES.map((name) => [name, new Map()]));
  for (const { name, texts, cells } of rows(page)) {
    all[name] ??= new Map(); /* of other tests */
    const levels = LEVELS.filter((level) => new RegExp(`\\b${level}\\b`).test(cells[1]));
    const spans = cells.flatMap(spansOf);
    texts.forEach((one) => all[name].set(one, { levels, spans }));
  }
  return all;
}

/* --- lines that were logged --- */

const quoted = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
const open = (text) => quoted(text).replaceAll('…', '[^]*?');

function patterns({ messages, reasons }) {
  /* A status, and the code and the words of a service if they were told. */
  const code = '\\d{3}(?: [\\w.-]+(?:: [^]*)?)?';
  const reason = [...[...reasons.keys()].filter((text) => !text.startsWith('…')).map(open), code].join('|');
  const all = `(?:${reason})(?:: [\\w.-]+)?(?: \\(\\w+\\))?(?: \\(BearSSL error \\d+\\))?(?: \\d{1,3})?`;
  return [...messages].map(([text, row]) => ({ ...row, matches: new RegExp(`^${open(text).replaceAll('REASON', all)}$`) }));
}

/* A function that takes a line of the log, parsed, and returns what is wrong with it, or null. */
export function judge(page) {
  const all = patterns(tables(page));
  const seen = new Map();
  return ({ level, message }) => {
    if (typeof message !== 'string' || Buffer.byteLength(message) > MAY_BE_CUT) {
      return null;
    }
    const line = `${level}: ${message}`;
    if (!seen.has(line)) {
      const rows = all.filter(({ matches }) => matches.test(message));
      const good = rows.some(({ levels }) => levels.includes(level) || (level === 'info' && levels.includes('always')));
      seen.set(line, good ? null : `src/OPERATING.md has no row for ${line}`);
    }
    return seen.get(line);
  };
}

let judged = null;

/* The same, by the page as it is, of each of these lines; throws what is wrong. Returns the lines. */
export function knownLines(lines) {
  judged ??= judge(readFileSync(fileURLToPath(new URL('../../../src/OPERATING.md', import.meta.url)), 'utf8'));
  const faults = lines.map(judged).filter(Boolean);
  if (faults.length > 0) {
    throw new Error([...new Set(faults)].join('\n'));
  }
  return lines;
}
