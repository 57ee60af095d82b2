// What a cold start costs: exec to `register`, exec to the first `next`, and memory when ready, for an
// empty extension that makes the same three calls, for ours, and for ours behind the launcher of the
// layer for both CPUs.
//
//   node cold_start.mjs EMPTY EXTENSION LAUNCHER [RUNS]
//
// Time is taken just before the spawn and when the request reaches the fake runtime API, which lives
// in this process: the spawn's own cost is in both columns, so the difference is the extension's.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import http from "node:http";
import net from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

// The extension may take this much longer than the empty one, the launcher this much longer than the
// extension, and both this much memory.
const LIMIT_NEXT_MS = 2;
const LIMIT_READY_KB = 1536;
const WARM_UPS = 3;
const READY_MS = 100;
const EXIT_MS = 5000;

const id = "11111111-2222-3333-4444-555555555555";
const registered = JSON.stringify({
  functionName: "bench",
  functionVersion: "$LATEST",
  handler: "index.handler",
});

let run; // the one under way: {start, register, next, arrived, answer}

const api = http.createServer((request, response) => {
  const now = performance.now();
  const headers = { "Content-Type": "application/json", "Lambda-Extension-Identifier": id };
  request.resume();
  const reply = (body) => {
    response.writeHead(200, { ...headers, "Content-Length": Buffer.byteLength(body) });
    response.end(body);
  };
  if (request.url.endsWith("/register")) {
    run.register ??= now - run.start;
    reply(registered);
  } else if (request.url.endsWith("/telemetry")) {
    reply('"OK"');
  } else if (request.url.endsWith("/next")) {
    run.next ??= now - run.start;
    run.answer = () =>
      reply(
        JSON.stringify({
          eventType: "SHUTDOWN",
          shutdownReason: "spindown",
          deadlineMs: Date.now() + 2000,
        }),
      );
    run.arrived();
  } else {
    response.writeHead(404).end();
  }
});
api.keepAliveTimeout = 0;

// Stands for Kinesis, so that connecting ahead of need happens as it would; never answers.
const kinesis = net.createServer((socket) => socket.on("error", () => {}).resume());

const listen = (server) =>
  new Promise((resolve) =>
    server.listen(0, "127.0.0.1", () => resolve(server.address().port)),
  );

async function freePort() {
  const server = net.createServer();
  const port = await listen(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function memoryKb(pid) {
  return Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1]);
}

async function measure(program, env) {
  const next = new Promise((resolve) => (run = { arrived: resolve }));
  run.start = performance.now();
  const child = spawn(program, { env, stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  child.stdout.on("data", (data) => (output += data));
  const exit = new Promise((resolve) => child.once("exit", resolve));
  const first = await Promise.race([next.then(() => "next"), exit]);
  if (first !== "next") {
    throw new Error(`${program} ended (${first}) before its first next\n${output}`);
  }
  await sleep(READY_MS);
  const memory = memoryKb(child.pid);
  run.answer();
  const stop = setTimeoutKill(child);
  await exit;
  clearTimeout(stop);
  return { register: run.register, next: run.next, memory };
}

function setTimeoutKill(child) {
  return globalThis.setTimeout(() => child.kill("SIGKILL"), EXIT_MS);
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

const [empty, ours, launcher, runs = "20"] = process.argv.slice(2);
if (!launcher) {
  console.error("usage: node cold_start.mjs EMPTY EXTENSION LAUNCHER [RUNS]");
  process.exit(2);
}
const apiPort = await listen(api);
const kinesisPort = await listen(kinesis);
const env = {
  AWS_LAMBDA_RUNTIME_API: `127.0.0.1:${apiPort}`,
  AWS_LAMBDA_FUNCTION_NAME: "bench",
  AWS_LAMBDA_INITIALIZATION_TYPE: "on-demand",
  AWS_REGION: "us-east-1",
  AWS_ACCESS_KEY_ID: "AKIDEXAMPLE",
  AWS_SECRET_ACCESS_KEY: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
  AWS_SESSION_TOKEN: "token",
  AWS_ENDPOINT_URL_KINESIS: `https://localhost:${kinesisPort}`,
  TELEMETRY_LISTENER_PORT: String(await freePort()),
};

const subjects = [
  { name: "empty", program: empty, results: [] },
  { name: "ours", program: ours, results: [] },
  { name: "launcher", program: launcher, results: [] },
];
for (let i = -WARM_UPS; i < Number(runs); i++) {
  for (const subject of subjects) {
    const result = await measure(subject.program, env);
    if (i >= 0) {
      subject.results.push(result);
    }
  }
}

const figures = [
  ["register", "exec to register, ms", 2],
  ["next", "exec to next, ms", 2],
  ["memory", "peak memory when ready, KB", 0],
];
const row = (...cells) =>
  console.log(cells[0].padEnd(28) + cells.slice(1).map((cell, i) => cell.padStart(i ? 10 : 16)).join(""));
const medianOf = ({ results }, key) => median(results.map((result) => result[key]));
const steps = [
  ["ours - empty", subjects[1], subjects[0]],
  ["launcher - ours", subjects[2], subjects[1]],
];
row("", "", "median", "min", "max");
for (const [key, title, digits] of figures) {
  for (const { name, results } of subjects) {
    const values = results.map((result) => result[key]);
    const cells = [median(values), Math.min(...values), Math.max(...values)];
    row(title, name, ...cells.map((value) => value.toFixed(digits)));
  }
  for (const [name, more, less] of steps) {
    row("", name, (medianOf(more, key) - medianOf(less, key)).toFixed(digits));
  }
}

const good =
  steps.every(([, more, less]) => medianOf(more, "next") - medianOf(less, "next") <= LIMIT_NEXT_MS) &&
  subjects.slice(1).every((subject) => medianOf(subject, "memory") <= LIMIT_READY_KB);
console.log(
  `${good ? "within" : "OVER"} the limits: ${LIMIT_NEXT_MS} ms more than empty, launcher ${LIMIT_NEXT_MS} ms ` +
    `more than ours, ${LIMIT_READY_KB} KB when ready (${runs} interleaved runs)`,
);
process.exit(good ? 0 : 1);
