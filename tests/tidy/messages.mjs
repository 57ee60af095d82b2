/*
 * The operator's page has a row for each text that the extension can log, or print, and no row without such a text:
 * what can be logged is taken from the sources. Where a new call logs what is not known here, that is a fault too.
 */
import { around, body, calls, conversions, literals, pattern, tokens, written } from './c_text.mjs';
import { rows, tables } from '../e2e/support/operating.mjs';
import { read } from './tree.mjs';

const PAGE = 'src/OPERATING.md';

/* What logs: which argument is the message, and at which level. */
const SINKS = {
  log_error: { format: 0, level: 'error' },
  log_warn: { format: 0, level: 'warn' },
  log_info: { format: 0, level: 'info' },
  log_debug: { format: 0, level: 'debug' },
  metrics_tell: { format: 0, level: 'always' },
  log_line: { format: 1 },
  log_always: { format: 0 },
  log_raw: { format: 0 }
};

/* Whose message is handed to it, by a function that is another sink or is looked at below. */
const HANDED_ON = new Set(['src/extension/metrics.c log_always message', 'src/extension/metrics.c log_raw out_span(&o)',
  'src/extension/credentials.c log_error "%s"']);

/* What these print is told here; nobody else calls system_print. */
const PRINTS = new Set(['src/main.c', 'src/io/log.c', 'src/extension/check.c', 'src/extension/dead_letter.c']);

const DATA = { data: true }; /* values: names, numbers, codes of services */
const REASON = { reason: true }; /* a text of REASONS */

/* Where the parts of messages come from, by the argument as it is written. `texts`: has to be in the message's row. */
const PARTS = {
  act: { texts: ['src/extension/extensions_api.c', 'tell', 'act'] },
  allowed: DATA, /* see settingTexts */
  by: DATA,
  'c->service': DATA,
  code: DATA,
  'd->client.region': DATA,
  'e->host': DATA,
  'event->reason': DATA,
  'f->act': { each: ['src/extension/telemetry_orders.c', 'telemetry_orders_join', '.act'] },
  'f->client->endpoint.host': DATA,
  'f->target': DATA,
  bundle: DATA,
  'error_text(system_error())': REASON,
  'http_client_error(&call->peer->http)': REASON,
  'lambda_error_type(call->reply)': DATA,
  name: DATA,
  'name.p': DATA,
  reason: { texts: ['src/io/http_exchange.c', 'reason_of'] },
  's->bucket': DATA,
  type: DATA,
  used: DATA,
  value: DATA,
  /* only where the message is put together in the same function */
  'src/extension/aws_client.c out_span(&o)': { formats: ['src/extension/aws_client.c', 'tell_bundle'] },
  'src/extension/failure_log.c out_span(&o)': REASON,
  /* in functions of REASONS */
  'http_client_error(http)': REASON,
  'http_client_error(&c->http)': REASON,
  'bound(f,r)': REASON,
  'r->message': REASON,
  'r->code': DATA,
  line: DATA,
  what: REASON
};

/* Functions and tables whose texts say why something failed. What one of them returns of another has to be here too. */
const REASONS = [
  ['src/io/http_client.c', 'http_client_error'], ['src/io/connection_state.c', 'connection_error'],
  ['src/io/resolver.c', 'resolver_error'], ['src/io/tls.c', 'tls_error'], ['src/io/error_text.c', 'texts'],
  ['src/io/error_text.c', 'error_text'],
  ['src/extension/failure_log.c', 'bound'], ['src/extension/failure_log.c', 'describe'],
  ['src/extension/telemetry_orders.c', 'tell'], ['src/extension/credentials.c', 'credentials_error'],
  ['src/extension/credentials.c', 'failed']
];

/* What these have besides, and what is continued. */
const NO_REASONS = new Set(['kinesis', 'error 4294967295']);
const CONTINUED = new Set(['error']);

/* A message that is put together: the function whose first text it begins with. It is a reason, too. */
const COMPOSED = [['src/extension/credentials.c', 'failed', 'error']];

/* What goes through none of SINKS. */
const METRICS_LINE = '{"_aws":…';

/* Files all of whose texts --check prints, but these. */
const CHECK_FILES = ['src/extension/check.c', 'src/extension/check_calls.c', 'src/extension/check_network.c',
  'src/protocol/diagnosis.c', 'src/io/tls_report.c'];
const NOT_SHOWN = new Set(['--json', '--check=write', '--check', 'ms', '; remedy:', 'check', 'kinesis:PutRecords',
  's3:PutObject', 'arn:aws:kinesis:…:*:stream/…', 'arn:aws:s3:::…/…*', 'to perform:', 'on resource:', 'ok', 'failed',
  'warning', 'notChecked']);
const CODES = /^([A-Z]\w*[a-z][A-Z]\w*\*?|KMS\*)( |$)/; /* as services have them */

/* Where what a setting may be is told: the argument of each call. */
const REFUSALS = { settings_source_refuse: 3, settings_source_refuse_above: 2, WORD: 2 };

const hasWords = (text) => /[A-Za-z]{2}/.test(text);

class Sources {
  #all = new Map();

  constructor(paths) {
    this.paths = paths.filter((path) => /^src\/.*\.c$/.test(path));
  }

  tokens(path) {
    if (!this.#all.has(path)) {
      this.#all.set(path, tokens(read(path)));
    }
    return this.#all.get(path);
  }

  body([path, name]) {
    const found = body(this.tokens(path), name);
    if (found === null) {
      throw new Error(`${path} has no ${name}, of which tests/tidy/messages.mjs knows`);
    }
    return found;
  }

  /* What a function writes by format_text. */
  formats(of) {
    return calls(this.body(of), new Set(['format_text'])).flatMap(({ args }) => literals(args[1]).map(pattern));
  }

  /* Literals of a function or table, or of what is assigned to a name in it. */
  texts([path, name, to]) {
    const all = this.body([path, name]);
    if (to === undefined) {
      return literals(all).map(pattern).filter(hasWords);
    }
    const spelled = written(tokens(`x${to}`).slice(1)) || to;
    const parts = [];
    for (let at = 0; at < all.length; at++) {
      if (written(all.slice(at, at + tokens(` ${spelled}`).length)) === spelled) {
        const from = all.slice(at).findIndex(({ text }) => text === '=');
        const until = all.slice(at).findIndex(({ text }) => text === ';' || text === ',');
        parts.push(...from > 0 && from < until ? literals(all.slice(at + from, at + until)) : []);
      }
    }
    return parts;
  }
}

/* Puts a message together: [{ text, level, parts }]; parts have to be in its row. */
function messagesOf(sources, path, call, faults) {
  const { format, level } = SINKS[call.name];
  const where = `${path}:${call.line}`;
  const [first, ...others] = literals(call.args[format]);
  if (first === undefined || others.length > 0) {
    faults.push(`${where}: the message of ${call.name} is no literal, and not known to tests/tidy/messages.mjs`);
    return [];
  }
  const parts = [];
  let texts = [''];
  let rest = first;
  for (const { conversion, tokens: argument } of conversions(first, call.args.slice(format + 1))) {
    const at = rest.indexOf(conversion);
    const of = part(sources, path, argument);
    if (of === undefined && conversion.endsWith('s')) {
      faults.push(`${where}: where ${written(argument)} comes from is not known to tests/tidy/messages.mjs`);
    }
    parts.push(...of?.texts ?? []);
    const into = of?.each ?? [of?.reason ? 'REASON' : '…'];
    texts = texts.flatMap((text) => into.map((one) => text + rest.slice(0, at) + one));
    rest = rest.slice(at + conversion.length);
  }
  return texts.map((text) => ({ text: pattern(text + rest), level, parts, where }));
}

function part(sources, path, argument) {
  const own = literals(argument).filter(hasWords).map(pattern);
  const bare = argument[0]?.text === 'LOG_SPAN' ? argument.slice(2, -1) : argument;
  const known = PARTS[`${path} ${written(bare)}`] ?? PARTS[written(bare)];
  if (literals(argument).length > 0) {
    return { texts: own };
  }
  return known && {
    ...known,
    texts: known.texts ? sources.texts(known.texts) : known.formats && sources.formats(known.formats),
    each: known.each && sources.texts(known.each)
  };
}

function logged(sources, faults) {
  const names = new Set(Object.keys(SINKS));
  return sources.paths.filter((path) => !path.startsWith('src/protocol/')).flatMap((path) => calls(sources.tokens(path), names).flatMap((call) => {
    const said = written(call.args[SINKS[call.name].format]);
    return HANDED_ON.has(`${path} ${call.name} ${said}`) ? [] : messagesOf(sources, path, call, faults);
  }));
}

/* failure_log_tell has one line for each of these, at the levels that it is called with. */
const FAILURES = { '&d->failures': 'PutRecords to', '&d->letter_failures': 'PutObject to' };

function levelsOfFailures(sources, faults) {
  const levels = new Map(Object.values(FAILURES).map((begin) => [begin, []]));
  for (const path of sources.paths) {
    for (const { args, line } of calls(sources.tokens(path), new Set(['failure_log_tell']))) {
      const of = levels.get(FAILURES[written(args[0])]);
      const told = args[1].map(({ text }) => /^LOG_([A-Z]+)$/.exec(text)?.[1].toLowerCase()).filter(Boolean);
      of?.push(...told);
      faults.push(...of ? [] : [`${path}:${line}: whose failures these are is not known to tests/tidy/messages.mjs`]);
    }
  }
  return (one) => ({ ...one, level: levels.get([...levels.keys()].find((begin) => one.text.startsWith(begin))) });
}

function composed(sources) {
  return COMPOSED.map(([path, name, level]) => ({ text: `${sources.texts([path, name])[0]} REASON`, level, parts: [] }));
}

function reasons(sources, faults) {
  const known = new Set(REASONS.map(([, name]) => name));
  return REASONS.flatMap(([path, name]) => {
    const all = sources.body([path, name]);
    for (let at = 0; at < all.length; at++) {
      if (all[at].text === 'return' && all[at + 2]?.text === '(' && !known.has(all[at + 1].text)) {
        faults.push(`${path}:${all[at].line}: what ${all[at + 1].text} returns is not known to tests/tidy/messages.mjs`);
      }
    }
    for (const { line, args } of calls(all, new Set(['format_text']))) {
      const [format] = literals(args[1]);
      for (const { conversion, tokens: argument } of conversions(format, args.slice(2))) {
        if (conversion.endsWith('s') && part(sources, path, argument) === undefined) {
          faults.push(`${path}:${line}: where ${written(argument)} comes from is not known to tests/tidy/messages.mjs`);
        }
      }
    }
    const composes = COMPOSED.some((one) => one[0] === path && one[1] === name);
    const [first, ...others] = sources.texts([path, name]);
    return [composes ? `${first} …` : first, ...others].filter((text) => !NO_REASONS.has(text))
      .map((text) => CONTINUED.has(text) ? `${text} …` : text);
  });
}

/* What is allowed, as complaints about settings say it, and why a filter pattern is none. */
function settingTexts(sources) {
  const names = new Set(Object.keys(REFUSALS));
  const of = sources.paths.filter((path) => path.startsWith('src/protocol/settings')).flatMap((path) => {
    const all = sources.tokens(path);
    return calls(all, names).flatMap(({ name, args, at }) => {
      const allowed = args[REFUSALS[name]] ?? [];
      const within = around(all, at);
      const kept = [allowed, body(within, allowed[0]?.text) ?? [], assigned(within, allowed[0]?.text)]
        .map(literals).find((texts) => texts.length > 0) ?? [];
      return kept.map((text) => pattern(name.endsWith('above') ? `${text}%u` : text)).filter(hasWords);
    });
  });
  const numbers = calls(sources.tokens('src/protocol/settings_source.c'), new Set(['format_text']))
    .flatMap(({ args }) => literals(args[1]));
  return [...of, ...numbers.map(pattern), ...literals(sources.tokens('src/protocol/filter_pattern.c')).filter((text) => / /.test(text)).map(pattern)];
}

/* What format_text writes where a buffer has this name. */
function assigned(all, name) {
  return all.some(({ text }) => text === name) ? calls(all, new Set(['format_text'])).flatMap(({ args }) => args[1]) : [];
}

function checkTexts(sources) {
  return CHECK_FILES.flatMap((path) => literals(sources.tokens(path)).map(pattern))
    .filter((text) => hasWords(text) && !NOT_SHOWN.has(text) && !CODES.test(text) && !/["\x00-\x1f]/.test(text))
    .map((text) => text.replace(/^[;:] /, ''));
}

/* Codes of services that something is known of. */
function codes(sources) {
  const lists = [['src/protocol/retry.c', 'codes'], ['src/extension/failure_log.c', 'fit_for_log'], ['src/protocol/diagnosis.c', 'rows']];
  return lists.flatMap((one) => literals(sources.body(one)).filter((text) => /^([A-Z]\w+\*?( |$))+$/.test(text))
    .flatMap((text) => text.trim().replaceAll('*', '').split(' ')));
}

/* What is written to standard error, or before there is a log: by main, and by the launcher. */
function printed(sources, faults) {
  for (const path of sources.paths) {
    if (!PRINTS.has(path) && calls(sources.tokens(path), new Set(['system_print'])).length > 0) {
      faults.push(`${path}: what it prints is not known to tests/tidy/messages.mjs`);
    }
  }
  const main = sources.tokens('src/main.c');
  const said = calls(main, new Set(['say'])).filter(({ args }) => args[0][0].text === 'SYSTEM_ERROR_OUTPUT')
    .flatMap(({ args }) => literals(args[1]).length > 0 ? literals(args[1]) : [literals(body(main, 'usage'))[0].split('\n')[1]]);
  const launcher = [...read('layer/launcher.sh').matchAll(/^\s*echo "(.*)" >&2$/gm)]
    .map(([, text]) => text.replace(/\$\{[^}]*\}|\$\w+/g, '…'));
  return [...said, ...launcher].map(pattern);
}

function compare(what, inSource, onPage, faults) {
  const texts = new Set(inSource);
  for (const text of texts) {
    if (!onPage.has(text)) {
      faults.push(`${PAGE}: no row of ${what} for: ${text}`);
    }
  }
  for (const text of onPage.keys()) {
    if (!texts.has(text)) {
      faults.push(`${PAGE}: a row of ${what} that no source has: ${text}`);
    }
  }
}

/* Here rows may say more than the text, as what stands around it. */
function compareWithin(what, inSource, onPage, faults) {
  const texts = [...new Set(inSource)];
  const spans = [...onPage.values()].flatMap((row) => row.spans);
  faults.push(...texts.filter((text) => !spans.some((span) => span.includes(text)))
    .map((text) => `${PAGE}: no row of ${what} for: ${text}`));
  faults.push(...[...onPage.keys()].filter((span) => !texts.some((text) => span.includes(text)))
    .map((span) => `${PAGE}: a row of ${what} that no source has: ${span}`));
}

function levelFaults(messages, rows) {
  const levels = new Map();
  for (const { text, level } of messages) {
    levels.set(text, new Set([...levels.get(text) ?? [], ...[level].flat()]));
  }
  return [...levels].filter(([text]) => rows.has(text)).flatMap(([text, wanted]) => {
    const said = rows.get(text).levels;
    return said.join() === [...wanted].sort().join() ? [] : [`${PAGE}: ${text}: is at ${[...wanted].sort().join(', ')}`];
  });
}

function partFaults(messages, rows) {
  return messages.filter(({ text }) => rows.has(text)).flatMap(({ text, parts }) =>
    parts.filter((one) => !rows.get(text).spans.some((span) => span.includes(one)))
      .map((one) => `${PAGE}: the row of ${text} does not say: ${one}`));
}

/* Of each row: it says something in each cell, and no other row of its tables is about the same. */
export function rowFaults(all) {
  const empty = all.flatMap(({ cells, texts }) => cells.flatMap((cell, i) => hasWords(cell.replace(/\]\([^)]*\)/g, '')) ? [] :
      [`${PAGE}: the row of ${texts[0] ?? cells[0]} says nothing in cell ${i + 1}`]));
  const seen = new Set();
  const twice = all.flatMap(({ name, cells, texts }) => {
    const keys = name === 'check' ? [cells.slice(0, 2).join()] : texts;
    return keys.filter((key) => seen.has(`${name} ${key}`) || !seen.add(`${name} ${key}`))
      .map((key) => `${PAGE}: two rows of ${name} for: ${key}`);
  });
  return [...empty, ...twice];
}

/* What --check says stands in a row of its step, and what is to be done beside the cause. */
function checkRowFaults(sources, all) {
  const page = all.filter(({ name }) => name === 'check');
  const steps = literals(sources.body(['src/protocol/diagnosis.c', 'diagnosis_step']));
  const said = sources.paths.flatMap((path) => calls(sources.tokens(path), new Set(['check_tell']))).flatMap(({ args }) => {
    const step = steps.find((one) => `CHECK_${one.replace(/[A-Z]/g, '_$&').toUpperCase()}` === written(args[1]));
    return step === undefined ? [] : literals(args[3]).map((text) => ({ step, texts: [text] }));
  });
  const causes = groups(sources.body(['src/protocol/diagnosis.c', 'rows']).slice(1, -1))
    .map((one) => ({ texts: literals(one).filter((text) => !CODES.test(text) && text !== '* ').map((text) => text.replace(/: $/, '')) }));
  const unknown = page.flatMap(({ cells }) => cells[0] === 'any' ? [] : cells[0].split(', '))
    .filter((one) => !steps.some((step) => one === `\`${step}\``));
  const stands = ({ step, texts }, row) => (step === undefined || row.cells[0] === 'any' || row.cells[0].includes(`\`${step}\``)) &&
    texts.every((text) => row.texts.some((span) => span.includes(text)));
  return [
    ...unknown.map((one) => `${PAGE}: a row of check for ${one}, which is no step`),
    ...[...said, ...causes].filter((one) => !page.some((row) => stands(one, row)))
      .map(({ step, texts }) => `${PAGE}: no row of check for ${step ?? 'a step'} has: ${texts.join('; and: ')}`)
  ];
}

/* What is between outermost braces, each. */
function groups(all) {
  const found = [];
  let depth = 0;
  for (const one of all) {
    depth -= one.text === '}' ? 1 : 0;
    found.at(-1)?.push(...depth > 0 ? [one] : []);
    found.push(...one.text === '{' && depth === 0 ? [[]] : []);
    depth += one.text === '{' ? 1 : 0;
  }
  return found;
}

export function messages(paths) {
  const sources = new Sources(paths);
  const faults = [];
  const text = read(PAGE);
  const page = tables(text);
  const failure = levelsOfFailures(sources, faults);
  const all = [...logged(sources, faults), ...composed(sources)].map((one) => one.level ? one : failure(one));
  compare('messages', [...all.map(({ text }) => text), METRICS_LINE], page.messages, faults);
  compare('reasons', reasons(sources, faults), page.reasons, faults);
  compare('settings', settingTexts(sources), page.settings, faults);
  compare('codes', codes(sources), page.codes, faults);
  compareWithin('check', checkTexts(sources), page.check, faults);
  compare('outside', printed(sources, faults), page.outside, faults);
  faults.push(...rowFaults(rows(text)), ...checkRowFaults(sources, rows(text)));
  return [...faults, ...levelFaults(all, page.messages), ...partFaults(all, page.messages)];
}
