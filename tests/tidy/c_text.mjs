/*
 * C sources as far as texts in them go: functions, calls and their arguments, string literals. Relies on how
 * clang-format lays them out here: a definition's name, or its closing brace, stands at the begin of a line.
 */

const TOKEN = /\/\*[^]*?\*\/|\/\/.*|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[A-Za-z_]\w*|\d[\w.]*|\S/g;
const DIRECTIVE = /^[ \t]*#(?:.*\\\n)*.*$/gm;
const OPEN = new Set(['(', '[', '{']);
const CLOSE = new Set([')', ']', '}']);

/* [{ text, line, first }], without comments and directives. first: it stands at the begin of its line. */
export function tokens(source) {
  const text = source.replace(DIRECTIVE, (lines) => lines.replace(/[^\n]/g, ' '));
  const all = [];
  let line = 1;
  let at = 0;
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    line += text.slice(at, index).split('\n').length - 1;
    at = index;
    if (!/^\/[*/]/.test(token)) {
      all.push({ text: token, line, first: index === 0 || text[index - 1] === '\n' });
    }
  }
  return all;
}

/* The index of what closes the bracket at this index. */
function end(all, from) {
  let depth = 0;
  for (let i = from; i < all.length; i++) {
    depth += OPEN.has(all[i].text) ? 1 : CLOSE.has(all[i].text) ? -1 : 0;
    if (depth === 0) {
      return i;
    }
  }
  throw new Error(`line ${all[from].line}: ${all[from].text} is not closed`);
}

function split(all) {
  const parts = [[]];
  let depth = 0;
  for (const one of all) {
    depth += OPEN.has(one.text) ? 1 : CLOSE.has(one.text) ? -1 : 0;
    if (depth === 0 && one.text === ',') {
      parts.push([]);
    } else {
      parts.at(-1).push(one);
    }
  }
  return parts;
}

const isName = ({ text }) => /^[A-Za-z_]/.test(text);
const isString = ({ text }) => text.startsWith('"');

/* [{ name, line, args: [tokens], at }] of all calls of these functions; names: a Set, or absent for all. */
export function calls(all, names) {
  return all.flatMap((token, at) => {
    if (!isName(token) || token.first || all[at + 1]?.text !== '(' || (names && !names.has(token.text))) {
      return [];
    }
    return [{ name: token.text, line: token.line, at, args: split(all.slice(at + 2, end(all, at + 1))) }];
  });
}

/* The body of the function of this name, or what the array is initialized with; null without either. */
export function body(all, name) {
  for (let at = 0; at < all.length; at++) {
    const wanted = all[at].first ? '(' : '[';
    if (all[at].text !== name || all[at + 1]?.text !== wanted) {
      continue;
    }
    const from = end(all, at + 1) + 1;
    const begin = all[from]?.text === '=' ? from + 1 : from;
    if (all[begin]?.text === '{') {
      return all.slice(begin, end(all, begin) + 1);
    }
    if (begin > from) {
      return all.slice(begin, begin + all.slice(begin).findIndex(({ text }) => text === ';'));
    }
  }
  return null;
}

/* The body of the function that the token at this index is in. */
export function around(all, at) {
  const from = all.slice(0, at).findLastIndex(({ text, first }) => first && text === '{');
  return from < 0 ? [] : all.slice(from, end(all, from) + 1);
}

const ESCAPES = { n: '\n', t: '\t', r: '\r' };

function unescaped(literal) {
  return literal.slice(1, -1).replace(/\\(x[0-9a-f]{2}|.)/g, (_, one) =>
    one.length > 1 ? String.fromCharCode(parseInt(one.slice(1), 16)) : ESCAPES[one] ?? one);
}

/* Literals that follow each other are one; a macro's name among them is a part that varies. */
export function literals(all) {
  const texts = [];
  for (let at = 0; at < all.length; at++) {
    if (!isString(all[at])) {
      continue;
    }
    let text = unescaped(all[at].text);
    while (at + 1 < all.length && (isString(all[at + 1]) || /^[A-Z][A-Z_]+$/.test(all[at + 1].text))) {
      at++;
      text += isString(all[at]) ? unescaped(all[at].text) : '…';
    }
    texts.push(text);
  }
  return texts;
}

export function written(all) {
  return all.map(({ text }) => text).join('').replaceAll('const', '');
}

/* A format with … for what varies. */
export function pattern(format) {
  return format.replace(/%(?:\.\*|\.\d+)?(?:z|l)*[usd]/g, '…').replace(/…+/g, '…').trim();
}

/* What each conversion of a format takes: [{ conversion, tokens }]. */
export function conversions(format, args) {
  const rest = [...args];
  return [...format.matchAll(/%(\.\*|\.\d+)?(?:z|l)*([usd])/g)].map(([conversion, width]) => {
    const macro = rest[0]?.[0]?.text === 'LOG_SPAN';
    if (width === '.*' && !macro) {
      rest.shift();
    }
    return { conversion, tokens: rest.shift() ?? [] };
  });
}
