// Logs event.lines numbered lines, each with an id of its own, so that lost and doubled ones can be counted.
export async function handler(event, context) {
  const lines = event.lines ?? 3;
  for (let n = 1; n <= lines; n += 1) console.log(`id=${context.awsRequestId}-${n} hello from Node`);
  return { lines };
}
