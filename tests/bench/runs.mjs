/*
 * The runs that figures are taken from. Several cases may look at the same one; each is made once, for all
 * subjects in turn, so that whatever else the machine does disturbs all alike. So are runs that are compared.
 *
 *   rounds, warmUps  how often; warm-ups are not counted
 *   beside           the name that runs which take turns have in common, and their rounds
 *   options          of the bench host
 *   only             the one subject that is measured
 *   alone            also those that are only started
 */
const MARKS = '10000,100000';

const grown = (events, rounds) => ({ rounds, only: 'ours', options: { events, marks: events } });

/* The forms of records, by the settings that make them; the first is what all subjects have. */
export const FORMS = {
  'one event': null,
  lines: 'TELEMETRY_AGGREGATION=lines',
  gzip: 'TELEMETRY_COMPRESSION=gzip',
  'lines, gzip': 'TELEMETRY_AGGREGATION=lines,TELEMETRY_COMPRESSION=gzip',
  cloudwatch: 'TELEMETRY_RECORD_FORMAT=cloudwatch'
};

export const VOLUME_SIZES = [200, 1000];
export const VOLUME_INVOCATIONS = [1, 10, 1000];
const VOLUME_EVENTS = { 1: 2_000, 10: 10_000, 1000: 100_000 };

/* Lines of a function that logs objects. */
export function volumeRun(size, perInvocation, form) {
  return `volume ${size} ${perInvocation} ${form}`;
}

export const BURST = 'volume burst';

/* Each invocation is held until its lines are delivered, as those are that do not follow each other closely. */
function formed(beside, options, settings) {
  const all = ['TELEMETRY_FLUSH=end', ...settings ? [settings] : []].join(',');
  return { rounds: 5, beside, ...settings ? { only: 'ours' } : {}, options: { ...options, objects: 1, settings: all } };
}

const VOLUME = Object.entries(FORMS).flatMap(([form, settings]) => [
  ...VOLUME_SIZES.flatMap((size) => VOLUME_INVOCATIONS.map((perInvocation) => [
    volumeRun(size, perInvocation, form),
    formed(volumeRun(size, perInvocation, 'in turns'), {
      events: VOLUME_EVENTS[perInvocation], size, perInvocation, marks: String(VOLUME_EVENTS[perInvocation])
    }, settings)
  ])),
  [`${BURST} ${form}`,
    { ...formed(BURST, { events: 20_000, size: 200, perInvocation: 5_000, delayMs: 20 }, settings), only: 'ours' }]
]);

/* What choosing costs, and saves. One in ten events is at WARN (load.h). */
const SELECTION = {
  'selection all': {},
  'selection level': { settings: 'TELEMETRY_LEVEL=info' },
  'selection comparisons': {
    settings: 'TELEMETRY_FILTER={ $.level != "DEBUG" && $.message.status >= 200 && $.requestId = * }'
  },
  'selection tenth': { settings: 'TELEMETRY_FILTER={ $.level = "WARN" }', oneIn: 10 }
};

export const RUNS = {
  cold: { rounds: 20, warmUps: 3, alone: true, options: {} },
  light: { rounds: 10, options: { events: 100, perInvocation: 100 } },
  load200: { rounds: 3, options: { events: 100_000, size: 200, marks: MARKS } },
  load2000: { rounds: 3, options: { events: 100_000, size: 2000 } },
  rate: { rounds: 3, options: { events: 200_000, size: 200, perInvocation: 200_000 } },
  hold0: { rounds: 1, options: { events: 300, perInvocation: 10, idleMs: 60, delayMs: 0 } },
  hold5: { rounds: 1, options: { events: 300, perInvocation: 10, idleMs: 60, delayMs: 5 } },
  hold20: { rounds: 1, options: { events: 300, perInvocation: 10, idleMs: 60, delayMs: 20 } },
  growth1k: grown(1_000, 3),
  growth10k: grown(10_000, 3),
  growth100k: grown(100_000, 3),
  growth1M: grown(1_000_000, 1),
  ...Object.fromEntries(VOLUME),
  ...Object.fromEntries(Object.entries(SELECTION).map(([name, { settings, ...options }]) => [name, {
    ...formed('selection', { events: 100_000, size: 200, perInvocation: 1000, ...options }, settings), only: 'ours'
  }]))
};

/* Who takes part in a run. */
export function members(run, subjects) {
  return subjects.filter(({ name, alone }) => (run.only ? name === run.only : run.alone || !alone));
}

/* The names in lists: each is made by itself, or all of it in turns. */
export function inTurns(names) {
  const lists = new Map();
  for (const name of names) {
    const key = RUNS[name].beside ?? name;
    lists.set(key, [...lists.get(key) ?? [], name]);
  }
  return [...lists.values()];
}

async function performOnce(name, counts, subjects, host, { results, failures }) {
  for (const subject of members(RUNS[name], subjects)) {
    if (failures[`${subject.name} ${name}`]) {
      continue;
    }
    try {
      const figures = await host.run(subject.program, RUNS[name].options);
      if (counts) {
        results[name][subject.name].push(figures);
      }
    } catch (error) {
      failures[`${subject.name} ${name}`] = error.message;
      delete results[name][subject.name];
    }
  }
}

/*
 * Makes the runs named, which have the same number of rounds, in turns for all subjects. Returns
 * { name: { subject: [figures of each round] } }; a subject that failed has what it said in `failures` and is left out.
 */
export async function perform(names, subjects, host, failures) {
  const results = Object.fromEntries(names.map((name) =>
    [name, Object.fromEntries(members(RUNS[name], subjects).map((subject) => [subject.name, []]))]));
  const { rounds, warmUps = 0 } = RUNS[names[0]];
  for (let round = -warmUps; round < rounds; round += 1) {
    for (const name of names) {
      await performOnce(name, round >= 0, subjects, host, { results, failures });
    }
  }
  return results;
}
