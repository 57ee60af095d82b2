// Cutting what is pending into POST bodies: section 2.2 of the reference. Pure.

const OPEN = Buffer.from('[');
const COMMA = Buffer.from(',');
const CLOSE = Buffer.from(']');
const QUOTE = Buffer.from('"');

// Takes the first items off pending ({bytes, recordStart} each). A batch is full once it reaches a limit,
// so it may be nearly twice maxBytes long.
// cut: an item whose record is above maxBytes is cut there; the body then ends inside it, and the rest
// goes back to pending, behind a repetition of its envelope, and is marked so (rest).
// Returns {body, items, bytes}: the items that this body completes, and how many bytes left pending.
export function takeBatch(pending, { maxItems, maxBytes }, cut) {
  const parts = [];
  let count = 0;
  let bytes = 0;
  for (const item of pending) {
    if (count === maxItems || bytes >= maxBytes) break;
    if (cut && item.bytes.length - item.recordStart > maxBytes) {
      return takeCut(pending, { parts, count, bytes, maxBytes });
    }
    parts.push(count === 0 ? OPEN : COMMA, item.bytes);
    count += 1;
    bytes += item.bytes.length;
  }
  return { body: Buffer.concat([...parts, CLOSE]), items: pending.splice(0, count), bytes };
}

function takeCut(pending, { parts, count, bytes, maxBytes }) {
  const item = pending[count];
  const at = item.recordStart + maxBytes;
  const envelope = item.bytes.subarray(0, item.recordStart);
  const body = Buffer.concat([...parts, count === 0 ? OPEN : COMMA, item.bytes.subarray(0, at)]);
  // The repeated envelope ends in a quote, whatever the record is: so it was observed.
  const rest = { ...item, rest: true, bytes: Buffer.concat([envelope, QUOTE, item.bytes.subarray(at)]) };
  const items = pending.splice(0, count + 1, rest).slice(0, count);
  return { body, items, bytes: bytes + item.bytes.length - rest.bytes.length };
}
