// The two functions behind checkAtDeploy, as text: what Lambda runs is JavaScript, whatever this package is
// compiled to.

/**
 * Runs the program that lies beside it, in the place and by the role of the functions that it stands for.
 * Returns `{ status, stdout, stderr }`.
 */
export const CHECKER = `const { execFile } = require('node:child_process');
const { chmodSync, copyFileSync, existsSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { join } = require('node:path');

exports.handler = async () => {
  const env = { ...process.env };
  // A file of the functions themselves or of their layers, which are not here.
  const bundle = env.AWS_CA_BUNDLE;
  if (bundle && !existsSync(bundle)) {
    const line = { status: 'notChecked', message: bundle + ' (AWS_CA_BUNDLE) is of the functions or their layers alone: nothing was checked' };
    return { status: 0, stdout: ['settings', 'result'].map((step) => JSON.stringify({ step, ...line })).join('\\n'), stderr: '' };
  }
  // Not every tool that uploads it keeps its mode.
  const program = join(tmpdir(), 'kinesis-telemetry-api-extension');
  copyFileSync(join(__dirname, 'kinesis-telemetry-api-extension'), program);
  chmodSync(program, 0o755);
  return new Promise((resolve) => {
    execFile(program, ['--check', '--json'], { env, timeout: 40000, killSignal: 'SIGKILL' }, (error, stdout, stderr) =>
      resolve({ status: error ? (error.code ?? error.signal ?? error.message) : 0, stdout, stderr }));
  });
};
`;

/**
 * Answers CloudFormation. It lies outside of networks, since in the functions' own the answer might not come
 * through, and CloudFormation would wait for an hour.
 */
export const RESPONDER = `const { CloudFormationClient, DescribeStacksCommand } = require('@aws-sdk/client-cloudformation');
const { InvokeCommand, LambdaClient } = require('@aws-sdk/client-lambda');

const lambda = new LambdaClient();

exports.handler = async (event, context) => {
  const reason = (await isAsked(event)) ? await check(event.ResourceProperties.Function, context) : undefined;
  await answer(event, reason);
};

// A roll-back goes through whatever there is to say: the stack would be stuck.
async function isAsked({ RequestType, StackId }) {
  if (RequestType !== 'Update') {
    return RequestType === 'Create';
  }
  try {
    const { Stacks } = await new CloudFormationClient().send(new DescribeStacksCommand({ StackName: StackId }));
    return !Stacks[0].StackStatus.includes('ROLLBACK');
  } catch (error) {
    console.log('Whether this is a roll-back is not known: ' + error.message);
    return true;
  }
}

// What was made a moment ago, a role above all, takes effect only after a while: so again for a minute.
async function check(name, context) {
  const patience = Number(process.env.PATIENCE_MS);
  const end = Date.now() + patience;
  for (;;) {
    const { reason, lasts } = await attempt(name, context);
    if (!reason || lasts || Date.now() + patience / 12 >= end) {
      return reason;
    }
    console.log('Again in ' + patience / 12000 + ' s: ' + reason);
    await new Promise((resolve) => setTimeout(resolve, patience / 12));
  }
}

async function attempt(FunctionName, context) {
  try {
    const abortSignal = AbortSignal.timeout(Math.max(context.getRemainingTimeInMillis() - 20000, 0));
    const { FunctionError, Payload } = await lambda.send(new InvokeCommand({ FunctionName }), { abortSignal });
    const said = JSON.parse(Buffer.from(Payload).toString());
    return FunctionError ? { reason: FunctionName + ': ' + said.errorMessage } : judge(said);
  } catch (error) {
    return { reason: FunctionName + ': ' + error.message };
  }
}

function judge({ status, stdout, stderr }) {
  const lines = stdout.split('\\n').filter((line) => line !== '');
  lines.forEach((line) => console.log(line));
  const steps = lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));
  if (status === 0 && steps.some(({ step }) => step === 'result')) {
    return {};
  }
  const failed = steps.filter((step) => step.status === 'failed' && step.step !== 'result');
  const said = failed.map(({ step, message, remedy }) => step + ': ' + [message, remedy].filter(Boolean).join('. '));
  return {
    reason: said.join('; ') || 'the check ended with ' + status + ': ' + (stderr || stdout).slice(-1000),
    lasts: failed.some(({ step }) => step === 'settings'),
  };
}

async function answer({ LogicalResourceId, PhysicalResourceId = LogicalResourceId, RequestId, ResponseURL, StackId }, reason) {
  const body = () => {
    const Status = reason === undefined ? 'SUCCESS' : 'FAILED';
    return Buffer.from(JSON.stringify({ Status, Reason: reason, PhysicalResourceId, StackId, RequestId, LogicalResourceId }));
  };
  while (body().length > 4096) {
    reason = reason.slice(0, -8);
  }
  for (let left = 2; ; left--) {
    try {
      // Of bytes fetch() tells no type; with one the signature of the address would be another.
      const { ok, status } = await fetch(ResponseURL, { method: 'PUT', body: body(), signal: AbortSignal.timeout(5000) });
      if (ok) {
        return;
      }
      throw new Error('CloudFormation took no answer: ' + status);
    } catch (error) {
      // Lambda calls again then.
      if (left === 0) {
        throw error;
      }
    }
  }
}
`;
