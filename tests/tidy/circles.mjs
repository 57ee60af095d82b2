/*
 * Circles among files: #include in C, import in TypeScript, types too.
 */
import { dirname, normalize } from 'node:path';
import ts from 'typescript';
import { read } from './tree.mjs';

const INCLUDE = /^#include "(.+)"$/gm;
/* A folder's headers are found from src/ or from where they are named. */
const ROOTS = ['src/', ''];

function included(path, files) {
  return [...read(path).matchAll(INCLUDE)].map(([, name]) =>
    [`${dirname(path)}/${name}`, ...ROOTS.map((root) => root + name)].map(normalize).find((one) => files.has(one)));
}

/* TypeScript's own reader of imports and of `export ... from`. */
function imported(path, files) {
  return ts.preProcessFile(read(path), true, true).importedFiles
    .filter(({ fileName }) => fileName.startsWith('.'))
    .map(({ fileName }) => normalize(`${dirname(path)}/${fileName}`))
    .map((one) => [one, `${one}.ts`, `${one}/index.ts`].find((name) => files.has(name)));
}

const READERS = [[/\.[ch]$/, included], [/\.(ts|mjs|js|cjs)$/, imported]];

/* Each circle once, as the files in it in the order in which they name each other. */
export function circlesOf(edges) {
  const found = [];
  const done = new Set();
  const walk = (node, way) => {
    const at = way.indexOf(node);
    if (at >= 0) {
      found.push([...way.slice(at), node]);
    } else if (!done.has(node)) {
      (edges.get(node) ?? []).forEach((next) => walk(next, [...way, node]));
      done.add(node);
    }
  };
  [...edges.keys()].forEach((node) => walk(node, []));
  return found;
}

export function circles(paths) {
  const files = new Set(paths);
  const edges = new Map();
  for (const path of paths) {
    const [, namesOf] = READERS.find(([kind]) => kind.test(path)) ?? [];
    if (namesOf) {
      edges.set(path, namesOf(path, files).filter((one) => one !== undefined));
    }
  }
  return circlesOf(edges).map((circle) => `a circle: ${circle.join(' > ')}`);
}
