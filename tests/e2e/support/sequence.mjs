/*
 * What a consumer of `enriched` records knows from the stream alone: which events of a sandbox it has,
 * by their numbers. A split record tells them in its id, SANDBOX-SEQ, and counts when all its parts are
 * there; a part that was split once more has .PART behind it.
 */

/* The parts of which the record with this id was made, put together; null when some are missing. */
function whole(id, pieces) {
  const parts = pieces.get(id);
  const texts = Array.from(parts, (one, i) => one ?? (pieces.has(`${id}.${i + 1}`) ? whole(`${id}.${i + 1}`, pieces) : null));
  return texts.includes(null) ? null : texts.map((one) => JSON.parse(one).text).join('');
}

/*
 * records: data of the stream's records. Returns { [sandbox]: { numbers, repeated } }: the numbers in
 * order, each once, and how many records came more than once.
 */
export function sequences(records) {
  const sandboxes = {};
  const pieces = new Map();
  const note = (sandbox, seq) => {
    const one = sandboxes[sandbox] ??= { numbers: new Set(), repeated: 0 };
    one.repeated += one.numbers.has(seq) ? 1 : 0;
    one.numbers.add(seq);
  };
  for (const text of records.map(String)) {
    const { split, sandbox, seq } = JSON.parse(text);
    if (!split) {
      note(sandbox, seq);
      continue;
    }
    if (!pieces.has(split.id)) {
      pieces.set(split.id, Array(split.parts).fill(null));
    }
    const parts = pieces.get(split.id);
    if (parts[split.part - 1] !== null) {
      sandboxes[split.id.slice(0, 32)].repeated += 1;
    }
    parts[split.part - 1] = text;
  }
  for (const id of pieces.keys()) {
    const [sandbox, seq] = id.split('-');
    if (!seq.includes('.') && whole(id, pieces) !== null) {
      const event = JSON.parse(whole(id, pieces));
      note(event.sandbox, event.seq);
      if (event.sandbox !== sandbox || String(event.seq) !== seq) {
        throw new Error(`the pieces of ${id} are event ${event.sandbox}-${event.seq}`);
      }
    }
  }
  return Object.fromEntries(Object.entries(sandboxes)
    .map(([sandbox, one]) => [sandbox, { ...one, numbers: [...one.numbers].sort((a, b) => a - b) }]));
}

/* The numbers below `end` that are missing. */
export function missing(numbers, end) {
  const there = new Set(numbers);
  return Array.from({ length: end }, (_, i) => i).filter((one) => !there.has(one));
}
