/*
 * What comments and documents name has to exist: files and folders of the repository, commands of build.sh. Links are
 * looked at by documents.mjs.
 */
import { dirname, normalize } from 'node:path';
import { blocks } from '../docs/documents.mjs';
import { read } from './tree.mjs';

const C_LIKE = /\.(c|h|mjs|js|cjs|ts|go|rs)$/;
const HASHED = /(\.(sh|py|awk|mk|yml)|(^|\/)(Makefile|pins|reference|run|bootstrap)|^\.clang-\w+|^\.editorconfig)$/;
const PROSE = /\.md$/;

const ENDINGS = 'awk|c|cjs|go|h|json|md|mjs|mk|py|rs|sh|toml|ts|txt|yml';
const FILE = new RegExp(`(?<![\\w/.@$%*{}<>~-])(?:\\.{0,2}/)*\\w[\\w.-]*(?:/[\\w.-]+)*\\.(?:${ENDINGS})(?![\\w*/-])`, 'g');
/* In backquotes, a path that begins with a folder of the repository. */
const FOLDER = /`((?:src|vendor|tests|layer|cdk)\/[\w./-]*)`/g;
const COMMAND = /\.\/build\.sh ((?:test )?[a-z][a-z0-9-]*)/g;

/* Files that come into being. */
const MADE = /^(build|vendor\/cache|layer\/dist|cdk\/(cdk\.out|dist|layer|node_modules)|node_modules)(\/|$)/;
/* Those of a C library, a compiler and packages; those that a reader of the documents makes. */
const FOREIGN = new Set([
  'compile_commands.json', 'event.json', 'gen/trust_anchors.c', 'immintrin.h', 'jsmn.h', 'MyStack.template.json',
  'orders.go', 'server.json', 'stddef.h', ...blocks().map(({ name }) => name)
]);

function comments(path, text) {
  if (PROSE.test(path)) {
    return text;
  }
  const kind = C_LIKE.test(path) ? /\/\*[^]*?\*\/|(?<=^|\s)\/\/.*/gm : HASHED.test(path) ? /(?<=^|\s)#.*/gm : null;
  /* Lines keep their numbers. */
  let at = 0;
  let out = '';
  for (const { 0: comment, index } of kind ? text.matchAll(kind) : []) {
    out += text.slice(at, index).replace(/[^\n]/g, '') + comment;
    at = index + comment.length;
  }
  return out;
}

function known(name, from, paths) {
  const plain = name.replace(/^\.\//, '').replace(/\/$/, '');
  const near = normalize(`${dirname(from)}/${plain}`);
  return MADE.test(plain) || MADE.test(near) || FOREIGN.has(plain) ||
    [plain, near, `src/${plain}`].some((one) => paths.has(one) || paths.has(`${one}/`)) ||
    [...paths].some((one) => one.endsWith(`/${plain}`) || one.endsWith(`/${plain}/`));
}

function lineFaults(line, path, paths, commands) {
  const named = [...line.matchAll(FILE), ...line.matchAll(FOLDER)].map((match) => match.at(-1));
  return [
    ...named.filter((name) => !known(name, path, paths)).map((name) => `names ${name}, which is not there`),
    ...[...line.matchAll(COMMAND)].filter(([, command]) => !commands.has(command) && !commands.has(command.split(' ')[0]))
      .map(([, command]) => `names the command ${command}, which build.sh has not`)
  ];
}

/* The first words of the lines of its help. */
function commandsOf(help) {
  return new Set([...help.matchAll(/^ {2}([a-z][a-z-]*)/gm)].map(([, command]) => command));
}

/* In the comments of a text, or in all of a document. */
export function faultsOf(path, text, paths, commands) {
  return comments(path, text).split('\n').flatMap((line, i) =>
    lineFaults(line, path, paths, commands).map((fault) => `${path}:${i + 1}: ${fault}`));
}

export function names(list) {
  const paths = new Set(list);
  const commands = commandsOf(read('build.sh'));
  return list.filter((path) => !path.endsWith('/')).flatMap((path) => faultsOf(path, read(path), paths, commands));
}
