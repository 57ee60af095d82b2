/*
 * What .editorconfig asks of every text, for those who have no editor that reads it.
 */
import { read } from './tree.mjs';

const WITH_TABS = /(^|\/)Makefile$|\.mk$|\.go$|(^|\/)go\.(mod|sum)$/;
/* Bytes that a test compares, and what a tool writes. */
const AS_THEY_ARE = /^tests\/unit\/vectors\/|\.svg$/;

function faultsOf(path, text) {
  const lines = text.split('\n');
  const faulty = (what, pattern) =>
    lines.flatMap((line, i) => pattern.test(line) ? [`${path}:${i + 1}: ${what}`] : []);
  return [
    ...text !== '' && !text.endsWith('\n') ? [`${path}: no newline at its end`] : [],
    ...faulty('blanks at the end of the line', /[ \t]$/),
    ...faulty('a carriage return', /\r/),
    ...WITH_TABS.test(path) ? [] : faulty('a tab', /\t/)
  ];
}

export function texts(paths) {
  return paths.filter((path) => !path.endsWith('/') && !AS_THEY_ARE.test(path))
    .map((path) => [path, read(path)])
    .filter(([, text]) => !text.includes('\0'))
    .flatMap(([path, text]) => faultsOf(path, text));
}
