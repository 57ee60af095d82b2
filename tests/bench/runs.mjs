/*
 * The runs that figures are taken from. Several cases may look at the same one; each is made once, for all
 * subjects in turn, so that whatever else the machine does disturbs all alike.
 *
 *   rounds, warmUps  how often; warm-ups are not counted
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
function formed(options, settings) {
  const all = ['TELEMETRY_FLUSH=end', ...settings ? [settings] : []].join(',');
  return { rounds: 3, ...settings ? { only: 'ours' } : {}, options: { ...options, objects: 1, settings: all } };
}

const VOLUME = Object.entries(FORMS).flatMap(([form, settings]) => [
  ...VOLUME_SIZES.flatMap((size) => VOLUME_INVOCATIONS.map((perInvocation) => [
    volumeRun(size, perInvocation, form),
    formed({
      events: VOLUME_EVENTS[perInvocation], size, perInvocation, marks: String(VOLUME_EVENTS[perInvocation])
    }, settings)
  ])),
  [`${BURST} ${form}`, { ...formed({ events: 20_000, size: 200, perInvocation: 5_000, delayMs: 20 }, settings), only: 'ours' }]
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
    ...formed({ events: 100_000, size: 200, perInvocation: 1000, ...options }, settings), rounds: 5, only: 'ours'
  }]))
};

/* Who takes part in a run. */
export function members(run, subjects) {
  return subjects.filter(({ name, alone }) => (run.only ? name === run.only : run.alone || !alone));
}

/*
 * Makes one run for all subjects. Returns { subject: [figures of each round] }; a subject that failed has
 * what it said in `failures` and is left out.
 */
export async function perform(name, subjects, host, failures) {
  const run = RUNS[name];
  const results = Object.fromEntries(members(run, subjects).map((subject) => [subject.name, []]));
  for (let round = -(run.warmUps ?? 0); round < run.rounds; round += 1) {
    for (const subject of members(run, subjects)) {
      if (failures[`${subject.name} ${name}`]) {
        continue;
      }
      try {
        const figures = await host.run(subject.program, run.options);
        if (round >= 0) {
          results[subject.name].push(figures);
        }
      } catch (error) {
        failures[`${subject.name} ${name}`] = error.message;
        delete results[subject.name];
      }
    }
  }
  return results;
}
