/*
 * Sizes that the program keeps to: lines of a file in src/, members of a struct.
 */
import { read } from './tree.mjs';

const LINES = 450;
/* The rooms that decide say when, and others what. */
const LINES_OF = { 'src/extension/telemetry_dispatcher.c': 300, 'src/extension/lifecycle.c': 380 };
const MEMBERS = 25;
/* One for each variable of the environment. */
const UNLIMITED = new Set(['settings']);

function lineFaults(path, text) {
  const lines = text.split('\n').length - 1;
  const most = LINES_OF[path] ?? LINES;
  return lines > most ? [`${path}: ${lines} lines, at most ${most}`] : [];
}

function withoutComments(text) {
  return text.replace(/\/\*[^]*?\*\/|\/\/.*|"(\\.|[^"\\])*"|'(\\.|[^'\\])+'/g, ' ');
}

/* From the brace at `begin` to its partner, without what nested braces hold. */
function body(text, begin) {
  let own = '';
  let depth = 0;
  for (let at = begin; at < text.length; at += 1) {
    depth += { '{': 1, '}': -1 }[text[at]] ?? 0;
    if (depth === 0) {
      return own;
    }
    own += depth === 1 ? text[at] : '';
  }
  return own;
}

/* Members that are declared between the braces of a struct: `int a, b[2];` are two. */
export function members(text) {
  const flat = text.replace(/\([^()]*\)|\[[^\]]*\]/g, '').replace(/\([^()]*\)/g, '');
  return flat.slice(1).split(';').filter((one) => one.trim() !== '' && !/^\s*#/.test(one))
    .reduce((sum, one) => sum + one.split(',').length, 0);
}

function memberFaults(path, text) {
  const plain = withoutComments(text);
  return [...plain.matchAll(/\b(?:struct|union)\b\s*(\w*)\s*\{/g)].flatMap(({ 0: head, 1: name, index }) => {
    const count = members(body(plain, index + head.length - 1));
    return count > MEMBERS && !UNLIMITED.has(name) ? [`${path}: struct ${name} has ${count} members, at most ${MEMBERS}`] : [];
  });
}

export function sizes(paths) {
  return paths.filter((path) => /^src\/.*\.[ch]$/.test(path)).flatMap((path) => {
    const text = read(path);
    return [...path.endsWith('.c') ? lineFaults(path, text) : [], ...memberFaults(path, text)];
  });
}
