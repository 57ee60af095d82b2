/*
 * One row of the fault matrix: 10,000 events in ten invocations, a fault in the midst of them, the
 * end of the fault, SHUTDOWN, a count at the destination.
 *
 *   const bench = await Bench.start();
 *   const result = await faultRun(row, bench);
 *   result.skipped    why it cannot be shown here, or null
 *   result.faults     what went wrong, as texts; none: the row holds
 *
 * What a row is: fault_rows.mjs.
 */
import { setImmediate as turn } from 'node:timers/promises';
import { unfold } from './forms.mjs';
import { jsonRecords, noisyRecords } from './lines.mjs';
import { resultsReply } from './put_records.mjs';
import { data } from './scenario.mjs';
import { Spell } from './spell.mjs';
import { compare } from './tally.mjs';
import { until } from './until.mjs';

export const EVENTS = 10_000;
const INVOCATIONS = 10;
const EVENT_BYTES = 120;
const NOISE_BYTES = 200;
/* The fault is put on in this invocation, or before it. */
const FAULTY = 2;
const SPECIAL_AT = 2_700;
const SHARDS = 16;

/* What is waited for before SHUTDOWN; the rest is SHUTDOWN's work, so nothing depends on these. */
const FAULT_MS = 5_000;
const RECOVERY_MS = 3_000;
/* Lambda's two seconds, and more for kinesis-local and a busy machine. */
const SHUTDOWN_MS = 10_000;
/* An invocation that is held for so long will not end by itself. */
const TIMEOUT_MS = 20_000;

/*
 * Policy end, so that between two invocations nothing is under way as long as all goes well. The
 * budget is the default one: an invocation is held for half a second at most while nothing goes well.
 */
const USUAL = { TELEMETRY_FLUSH: 'end' };
const BUDGET_MS = 500;

/* Where the records go: kinesis-local behind the front, or here, which takes a hundredth of the time. */
class Destination {
  #taken = new Set(); /* base64 text of each record, once */
  #size = 0;

  constructor(stream, form) {
    this.stream = stream;
    this.form = form;
    this.records = [];
  }

  /* Of the events that were sent, how many different ones have been accepted. */
  get size() {
    return this.#size;
  }

  /* Stands behind a front; several fronts may have the same destination. */
  behind(front) {
    const usual = front.forward.bind(front);
    front.forward = async (exchange) => {
      const answer = this.stream ? await usual(exchange) : this.#accept(exchange);
      if (answer.status === 200) {
        this.#count(exchange);
      }
      return answer;
    };
  }

  #count({ call, failing }) {
    call.Records.forEach(({ Data }, index) => {
      if (!failing.has(index) && !this.#taken.has(Data)) {
        this.#taken.add(Data);
        this.#size += unfold(this.form, [Buffer.from(Data, 'base64')]).length;
      }
    });
  }

  #accept({ call, failing, replyForm }) {
    const results = call.Records.map(({ Data }, index) => {
      if (failing.has(index)) {
        return failing.get(index);
      }
      this.records.push(Buffer.from(Data, 'base64'));
      return { SequenceNumber: String(this.records.length), ShardId: 'shardId-000000000000' };
    });
    return resultsReply(replyForm, results);
  }
}

/* What a row's functions get. */
export class FaultRun {
  #cleanups = [];

  constructor(row, bench) {
    Object.assign(this, { row, bench, spell: new Spell(row.spell ?? {}) });
    this.destination = new Destination(row.stream, row.form);
    this.special = row.special ?? [];
    const count = (row.events ?? EVENTS) - this.special.length;
    this.records = row.noise ? noisyRecords(count, NOISE_BYTES) : jsonRecords(count, EVENT_BYTES, 'event');
    this.records.splice(SPECIAL_AT, 0, ...this.special);
  }

  get front() {
    return this.stand.front;
  }

  get platform() {
    return this.stand.platform;
  }

  /* fn is called at the end, whatever happens. */
  finally(fn) {
    this.#cleanups.push(fn);
  }

  async start() {
    const { row, bench } = this;
    const { env = {}, onFront, ...options } = await row.prepare?.(this) ?? {};
    this.stand = await bench.stand({
      shards: row.stream ? SHARDS : 0,
      leaf: row.leaf,
      platform: { shutdownMs: SHUTDOWN_MS, timeoutMs: TIMEOUT_MS, ...row.platform },
      ...options,
      env: (base) => ({ ...USUAL, ...row.form?.env, ...row.env, ...typeof env === 'function' ? env(base) : env }),
      onFront: (front) => {
        this.destination.behind(front);
        onFront?.(front);
      }
    });
  }

  async stop() {
    await this.stand?.stop();
    for (const fn of this.#cleanups.reverse()) {
      await fn();
    }
  }

  /* One invocation; `during` as of Platform.invoke. */
  async invoke(during) {
    const result = await this.platform.invoke({}, { during });
    if (result.status !== 'success') {
      throw new Error(`an invocation ended with ${result.status}`);
    }
    return result;
  }

  /* One in which the function logs these. */
  log(records) {
    return this.invoke(async (emit) => records.forEach(({ record }) => emit.raw('function', record)));
  }

  /* An invocation that was held for less than the budget left nothing behind. */
  async nothingUnderWay() {
    await until('nothing is under way', async () => (await this.invoke()).holdMs < BUDGET_MS / 2);
  }

  /* The usual course: ten invocations of a thousand lines each. */
  async tenInvocations() {
    const size = EVENTS / INVOCATIONS;
    for (let i = 0; i < INVOCATIONS; i += 1) {
      const records = this.records.slice(i * size, (i + 1) * size);
      if (i !== FAULTY) {
        await this.log(records);
      } else if (this.row.between) {
        await this.nothingUnderWay();
        await this.row.put(this);
        await this.log(records);
      } else {
        await this.faultyInvocation(records);
      }
    }
  }

  /* The fault comes between two halves of the lines. */
  async faultyInvocation(records) {
    const half = records.length / 2;
    await this.invoke(async (emit) => {
      records.slice(0, half).forEach(({ record }) => emit.raw('function', record));
      await turn();
      await this.row.put(this);
      records.slice(half).forEach(({ record }) => emit.raw('function', record));
    });
  }

  /* True when it came true in time. */
  async wait(condition, ms) {
    return until('', condition, ms).then(() => true, () => false);
  }

  /* The fault is over, and what waited gets through. */
  async recover() {
    const { row, spell } = this;
    if (row.spell) {
      await this.wait(() => spell.over, FAULT_MS);
    }
    spell.end();
    await row.lift?.(this);
    if (row.abrupt) {
      return;
    }
    await this.wait(() => this.destination.size >= this.records.length - this.special.length, RECOVERY_MS);
  }
}

/* Texts of what the row does not allow; see fault_rows.mjs. */
function judge(run, end, counts) {
  const { row, spell } = run;
  const { ledger } = end;
  const possible = ledger.duplicatesPossible;
  const faults = [];
  const require = (fact, text) => fact || faults.push(text);

  faults.push(...end.faults.filter((text) => !row.tolerates?.test(text)));
  require(counts.lost === 0, `${counts.lost} lost, ${counts.firstLost}`);
  require(counts.foreign === 0 || row.special, `${counts.foreign} records that nobody logged`);
  require(row.refusals || run.front.refusals.length === 0, `signature: ${run.front.refusals[0]?.message}`);
  require(!row.spell || row.quiet || spell.hits > 0 || run.stand.logsOf(['warn', 'error']).length > 0,
    'the fault was not felt');
  if (row.ambiguous) {
    require(counts.duplicates <= (possible ?? 0),
      `${counts.duplicates} duplicates, possible by the ledger ${possible ?? 'unsaid'}`);
  } else {
    require(counts.duplicates === 0, `${counts.duplicates} duplicates`);
    require((possible ?? 0) === 0, `the ledger holds ${possible} duplicates possible`);
  }
  if (row.quiet) {
    const said = run.stand.logsOf(['warn', 'error']).map(({ message }) => message);
    require(said.length === 0, `said: ${said[0]}`);
    require(ledger.retried === 0, `${ledger.retried} retried`);
  }
  faults.push(...row.check?.(run, end, counts) ?? []);
  return faults;
}

/* The data of records in the dead letter, where the row's is standard error. */
function letters({ row, platform }) {
  return row.letters ? platform.lines.map(({ line }) => String(line)).filter((line) => line.startsWith('{"DataBase64":'))
    .map((line) => Buffer.from(JSON.parse(line).DataBase64, 'base64')) : [];
}

/* Lost ones of `special` are the row's own business. */
function tally(run, end) {
  const records = run.row.stream ? data(end.records) : run.destination.records;
  const arrived = unfold(run.row.form, [...records, ...letters(run)]);
  const special = new Set(data(run.special));
  /* messages have records whole */
  const sent = run.row.form?.messages ? run.records.map(({ record }) => record) : data(run.records);
  const { lost, duplicated, foreign } = compare(sent, arrived);
  const usual = lost.filter((one) => !special.has(one));
  return {
    lost: usual.length, firstLost: usual[0]?.slice(0, 100), specialLost: lost.length - usual.length,
    duplicates: duplicated.length, foreign: foreign.length
  };
}

async function course(run) {
  const { row } = run;
  await run.start();
  try {
    await (row.drive ? row.drive(run) : run.tenInvocations());
    await run.recover();
  } catch (error) {
    error.message += `\nlast lines: ${run.platform.lines.slice(-5).map(({ line }) => line).join('\n  ')}`;
    throw error;
  }
  const end = await run.stand.finish();
  if (!end.ledger) {
    return { faults: end.faults };
  }
  const counts = tally(run, end);
  const { duplicatesPossible, retried, requests, connections, breakerOpenings, dropped } = end.ledger;
  return {
    ...counts, duplicatesPossible, retried, requests, connections, breakerOpenings, dropped: dropped.total,
    faults: judge(run, end, counts)
  };
}

export async function faultRun(row, bench) {
  const skipped = await row.unavailable?.() ?? null;
  if (skipped) {
    return { row, skipped, faults: [] };
  }
  const start = performance.now();
  const run = new FaultRun(row, bench);
  try {
    const result = await course(run);
    return { row, skipped, events: run.records.length, seconds: (performance.now() - start) / 1000, ...result };
  } finally {
    await run.stop();
  }
}
