/*
 * Where documents lead: links, anchors and pictures have to be there, each manual has a table of contents, the front
 * page is short. What is not on this machine cannot be asked; of such links only the form is checked.
 */
import { dirname, normalize } from 'node:path';
import { parse } from '../docs/documents.mjs';
import { read } from './tree.mjs';

const FRONT = 'README.md';
const FRONT_LINES = 250;
const MANUAL = /^(?:cdk|layer|src|tests)\/(?:README|OPERATING)\.md$/;

const IN_CODE = /(`+)[^`].*?\1/g;
const INLINE = /\]\(\s*(?:<([^>]*)>|([^)\s]+))(?:\s+(?:"[^"]*"|'[^']*'|\([^)]*\)))?\s*\)/g;
const LINKS = [INLINE, /^ *\[[^\]]+\]: +<?([^\s>]+)/g, /<(https?:[^>]+)>/gi, /<[a-z][^>]*?\b(?:href|src|srcset)\s*=\s*["']?([^"'\s>]+)/gi];
const BARE = /(?<![("'<=[\w])https?:\/\/[\w.-]+\.[a-z]{2,}\/?[^\s)>"'`|]*/g;

const withoutCode = (text) => text.replace(IN_CODE, '');

/* [{ line, link }] */
export function linksOf({ prose }) {
  return prose.flatMap(({ line, text }) => {
    const plain = withoutCode(text);
    const linked = LINKS.flatMap((pattern) => [...plain.matchAll(pattern)].map(([, link, other]) => link ?? other));
    return [...linked, ...plain.match(BARE) ?? []].map((link) => ({ line, link }));
  });
}

export function externalFault(link) {
  if (/^mailto:/.test(link)) {
    return null;
  }
  const url = URL.canParse(link) ? new URL(link) : null;
  const good = url?.protocol === 'https:' && url.username === '' && /^[a-z0-9-]+(\.[a-z0-9-]+)+$/.test(url.hostname) &&
    !/\/\/|\.\.|[,;:.]$/.test(`${url.pathname}${url.hash}`);
  return good ? null : `links to ${link}, which is no address by https`;
}

function linkFault(link, from, there) {
  if (/^[a-z]+:/.test(link)) {
    return externalFault(link);
  }
  const [file, anchor] = link.split('#');
  const path = file === '' ? from : normalize(`${dirname(from)}/${file}`).replace(/\/$/, '');
  if (path !== '.' && !there.paths.has(path) && !there.paths.has(`${path}/`)) {
    return `links to ${file}, which is not there`;
  }
  const known = anchor === undefined || (there.anchors(path) ?? []).includes(anchor);
  return known ? null : `links to #${anchor}, which is no heading of ${path}`;
}

/* What was meant as a link, and is shown as written: its address in another line, or a name that is not defined. */
function brokenLinks({ path, prose }) {
  const texts = prose.map(({ line, text }) => ({ line, text: withoutCode(text) }));
  const names = new Set(texts.flatMap(({ text }) => /^ *\[([^\]]+)\]:/.exec(text)?.[1].toLowerCase() ?? []));
  return texts.flatMap(({ line, text }) => {
    const rest = text.replace(INLINE, '');
    const named = [...rest.matchAll(/\]\[([^\]]*)\]/g)].filter(([, name]) => !names.has(name.toLowerCase()));
    return rest.includes('](') || named.length > 0 ? [`${path}:${line}: has a link that is none`] : [];
  });
}

/* The links before the first section name all sections, by their own words. Those below a section may be among them. */
function contentsFaults({ path, text, headings, lines }) {
  const sections = headings.filter(({ level, text: words }) => level === 2 && words !== 'Contents');
  const until = sections[0]?.line ?? lines.length;
  const head = lines.slice(0, until - 1).join('\n');
  const anchors = new Set(sections.map(({ anchor }) => anchor));
  const named = [...head.matchAll(/\[([^\]]+)\]\(#([^)]+)\)/g)].filter(([, , anchor]) => anchors.has(anchor));
  const wanted = sections.map(({ text: words, anchor }) => `[${words}](#${anchor})`);
  const found = named.map(([link]) => link);
  const at = wanted.findIndex((link, i) => link !== found[i]);
  const first = at < 0 && found.length > wanted.length ? `without ${found[wanted.length]}` : wanted[at];
  return first === undefined || text === '' ? [] : [`${path}: its table of contents, before the first section, needs ${first} as number ${at + 1}`];
}

/* Addresses that differ by nothing but a slash or capital letters: one of them is a slip. */
function slips(all) {
  const seen = new Map();
  return all.flatMap(({ path, line, link }) => {
    const key = link.toLowerCase().replace(/\/$/, '');
    const before = seen.get(key) ?? link;
    seen.set(key, before);
    return before === link ? [] : [`${path}:${line}: links to ${link}, and elsewhere it is ${before}`];
  });
}

/* Of texts: [[path, text]]. paths: all that there is. */
export function faultsIn(texts, paths) {
  const all = new Map(texts.map(([path, text]) => [path, parse(path, text)]));
  const anchors = (path) => {
    const { headings, text } = all.get(path) ?? { headings: [], text: '' };
    return [...headings.map(({ anchor }) => anchor), ...[...text.matchAll(/(?<=<a [^>]*)\b(?:name|id)="([^"]+)"/g)].map(([, name]) => name)];
  };
  const links = [...all.values()].flatMap((one) => linksOf(one).map((link) => ({ path: one.path, ...link })));
  const { lines } = all.get(FRONT) ?? { lines: [] };
  return [
    ...links.map(({ path, line, link }) => [path, line, linkFault(link, path, { paths, anchors })])
      .filter(([, , fault]) => fault !== null).map(([path, line, fault]) => `${path}:${line}: ${fault}`),
    ...[...all.values()].flatMap(brokenLinks),
    ...slips(links.filter(({ link }) => /^https?:/.test(link))),
    ...[...all.values()].filter(({ path }) => MANUAL.test(path)).flatMap(contentsFaults),
    ...lines.length - 1 > FRONT_LINES ? [`${FRONT}: has ${lines.length - 1} lines, more than ${FRONT_LINES}`] : []
  ];
}

export function documentFaults(list) {
  const documents = list.filter((path) => path.endsWith('.md'));
  return faultsIn(documents.map((path) => [path, read(path)]), new Set(list));
}
