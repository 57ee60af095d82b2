// What a subscription to the Telemetry API may say: section 2.1 of the reference.

const SCHEMAS = ['2022-07-01', '2022-12-13', '2025-01-29'];
const TYPES = ['platform', 'function', 'extension'];
const HOSTS = ['sandbox.localdomain', 'sandbox'];
const LIMITS = { maxItems: [1000, 10000], maxBytes: [262144, 1048576], timeoutMs: [25, 30000] };
const DEFAULT_BUFFERING = { maxItems: 10000, maxBytes: 262144, timeoutMs: 1000 };

// Returns {problems: [text]} or {schemaVersion, types, buffering, destination: {protocol, port, path}}.
export function readSubscription(body, managedInstances) {
  let request;
  try {
    request = JSON.parse(body.toString());
  } catch (error) {
    return { problems: [`failed to parse JSON: ${error.message}`] };
  }
  if (typeof request !== 'object' || request === null) return { problems: ['the body must be a JSON object'] };
  const schemas = managedInstances ? SCHEMAS.slice(-1) : SCHEMAS; // 1.8
  const destination = readDestination(request.destination ?? {});
  const problems = [
    ...(schemas.includes(request.schemaVersion) ? [] : [`schemaVersion must be one of ${schemas.join(', ')}`]),
    ...typeProblems(request.types),
    ...bufferingProblems(request.buffering ?? {}),
    ...destination.problems
  ];
  if (problems.length > 0) return { problems };
  const buffering = { ...DEFAULT_BUFFERING, ...request.buffering };
  return { schemaVersion: request.schemaVersion, types: request.types, buffering, destination: destination.value };
}

function typeProblems(types) {
  if (!Array.isArray(types) || types.length === 0) return ['types should not be empty'];
  return types.filter((type) => !TYPES.includes(type)).map((type) => `unknown type ${JSON.stringify(type)}`);
}

function bufferingProblems(buffering) {
  return Object.entries(LIMITS).flatMap(([name, [least, most]]) => {
    const value = buffering[name];
    if (value === undefined || (Number.isInteger(value) && value >= least && value <= most)) return [];
    return [`buffering.${name} must be between ${least} and ${most}`];
  });
}

function readDestination({ protocol, URI, port }) {
  if (protocol === 'HTTP') return readUri(URI);
  if (protocol !== 'TCP') return { problems: ['destination.protocol must be HTTP or TCP'] };
  if (URI !== undefined) return { problems: ['destination.URI is not allowed with TCP'] };
  if (!Number.isInteger(port) || port < 1 || port > 65535) {
    return { problems: ['destination.port must be between 1 and 65535'] };
  }
  return { problems: [], value: { protocol, port, path: '' } };
}

function readUri(uri) {
  let url;
  try {
    url = new URL(uri);
  } catch {
    return { problems: ['destination.URI is not a URI'] };
  }
  const problems = [];
  if (url.protocol !== 'http:') problems.push('destination.URI must be http');
  if (!HOSTS.includes(url.hostname)) problems.push(`destination.URI host must be ${HOSTS[0]}`);
  // WHATWG's URL hides port 80, so look at the text.
  const port = /^[a-z]+:\/\/[^/?#]*:(\d+)/i.exec(uri)?.[1];
  if (port === undefined) problems.push('URI port is not provided');
  if (Number(port) === 9001) problems.push('port 9001 is reserved');
  return { problems, value: { protocol: 'HTTP', port: Number(port), path: `${url.pathname}${url.search}` } };
}
