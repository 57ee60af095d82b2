// JSON as Go's encoding/json writes it, which is what Lambda's platform is made of: no blanks, and characters that HTML
// minds as escapes.

const ESCAPES = { '<': '\\u003c', '>': '\\u003e', '&': '\\u0026', '\u2028': '\\u2028', '\u2029': '\\u2029' };

function escaped(json) {
  return json.replace(/[<>&\u2028\u2029]/g, (character) => ESCAPES[character]);
}

export function goJson(value) {
  const json = JSON.stringify(value);
  return json === undefined ? undefined : escaped(json);
}

// The same JSON text without its blanks; numbers and escapes stay as they are.
export function goCompact(json) {
  return escaped(json.replace(/("(?:[^"\\]|\\.)*")|\s+/gs, (_, string) => string ?? ''));
}
