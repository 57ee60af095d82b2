/*
 * The construct as packages of several languages: node make.mjs INTO [api] [js] [python] [java] [dotnet] [go]
 *
 * INTO/module is what jsii compiled, by the oldest aws-cdk-lib that the package works with, so that nothing is promised
 * which that one lacks; INTO/sources/LANGUAGE/ what it made of that for each language. Beside these, if they are named:
 *
 *   API.md                   the reference of the interface
 *   js/*.tgz, python/*.whl   what npm and pip install
 *   java/*.jar and its .pom  needs mvn and a JDK
 *   dotnet/*.nupkg           needs dotnet
 *   go/NAME/                 a module
 *
 * Each has the layer's zips in it, of LAYER_DIRECTORY or of layer/dist. PYTHON is one that has what requirements.txt names.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = dirname(fileURLToPath(import.meta.url));
const CDK = dirname(HERE);
const TOP = dirname(CDK);
const MODULES = join(CDK, 'node_modules');

const { name, version, ...ours } = json(join(CDK, 'package.json'));

function json(path) {
  return JSON.parse(readFileSync(path, 'utf8'));
}

/* Tools that find nothing wrong are not worth reading. */
function run(command, args, cwd) {
  /* jsii would praise newer versions of Node. */
  const env = { ...process.env, JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION: process.versions.node.split('.')[0] };
  const { error, status, stdout, stderr } = spawnSync(command, args, { cwd, env, encoding: 'utf8', maxBuffer: 1e8 });
  if (error || status !== 0) {
    throw new Error([`${command} ${args.join(' ')}: ${error?.message ?? `status ${status}`}`, stdout, stderr].filter(Boolean).join('\n'));
  }
}

function tool(command, args, cwd) {
  run(process.execPath, [join(HERE, 'node_modules', command, 'bin', command), ...args], cwd);
}

function onPath(command) {
  return spawnSync(command, ['--version']).error === undefined;
}

function fresh(folder) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  return folder;
}

function filesOf(folder, pattern) {
  return readdirSync(folder, { recursive: true }).filter((file) => pattern.test(file)).map((file) => join(folder, file));
}

/* --- the module -------------------------------------------------------------------------------- */

/* Of two versions of a library jsii would see the wrong one, so the old one gets a folder where it is alone. */
function linkModules(folder) {
  const needed = ['aws-cdk-lib', 'constructs'].map((one) => [one, `${one}-oldest`]);
  const own = Object.keys(json(join(MODULES, 'aws-cdk-lib-oldest', 'package.json')).dependencies);
  const shared = own.filter((one) => one.startsWith('@aws-cdk/') && !existsSync(join(MODULES, 'aws-cdk-lib-oldest', 'node_modules', one)));
  for (const [to, from] of [...needed, ...[...shared, '@types/node', 'undici-types'].map((one) => [one, one])]) {
    const [source, target] = [join(MODULES, from), join(folder, to)];
    mkdirSync(dirname(target), { recursive: true });
    /* Hard links, where the file system lets them be. */
    if (spawnSync('cp', ['-al', source, target]).status !== 0) {
      cpSync(source, target, { recursive: true });
    }
  }
}

function oldest(library) {
  return json(join(MODULES, `${library}-oldest`, 'package.json')).version;
}

function makeModule(folder) {
  fresh(folder);
  const { scripts: _scripts, devDependencies: _tools, ...kept } = ours;
  const manifest = json(join(HERE, 'manifest.json'));
  const devDependencies = Object.fromEntries(Object.keys(kept.peerDependencies).map((one) => [one, oldest(one)]));
  const files = [...kept.files, '.jsii'];
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name, version, ...kept, ...manifest, files, devDependencies }, null, 2));
  cpSync(join(CDK, 'lib'), join(folder, 'lib'), { recursive: true });
  cpSync(join(CDK, 'README.md'), join(folder, 'README.md'));
  cpSync(join(TOP, 'LICENSE'), join(folder, 'LICENSE'));
  mkdirSync(join(folder, 'layer'));
  for (const zip of filesOf(process.env.LAYER_DIRECTORY ?? join(TOP, 'layer', 'dist'), /\.zip$/)) {
    cpSync(zip, join(folder, 'layer', zip.split('/').pop()));
  }
  linkModules(join(folder, 'node_modules'));
  /* Names that are reserved in C#: there they begin with a capital letter. */
  tool('jsii', ['--fail-on-warnings', '--silence-warnings=reserved-word'], folder);
  /* For the compiler's next time: half of a package, with the layout of the folders here. */
  rmSync(join(folder, 'dist', 'tsconfig.tsbuildinfo'), { force: true });
}

/* Links between comments are for editors. */
function makeReference(module, path) {
  tool('jsii-docgen', ['--output', path], module);
  writeFileSync(path, readFileSync(path, 'utf8').replace(/\{@link ([\w.]+)\}/g, '`$1`'));
}

/* --- the packages ------------------------------------------------------------------------------ */

function copy(paths, folder) {
  fresh(folder);
  for (const path of paths) {
    cpSync(path, join(folder, path.split('/').pop()));
  }
}

const MAKERS = {
  js: (sources, into) => {
    const [tarball] = filesOf(sources, /\.tgz$/);
    cpSync(tarball, join(fresh(into), `${name}-${version}.tgz`));
  },
  python: (sources, into) => {
    const options = ['--quiet', '--no-deps', '--no-build-isolation', '--no-index', '--disable-pip-version-check'];
    run(process.env.PYTHON ?? 'python3', ['-m', 'pip', 'wheel', ...options, '--wheel-dir', fresh(into), '.'], sources);
    rmSync(join(sources, 'build'), { recursive: true });
  },
  java: (sources, into) => {
    if (isThere('mvn', 'Java', sources)) {
      run('mvn', ['--batch-mode', '--quiet', '-Dmaven.javadoc.skip=true', 'package'], sources);
      copy(filesOf(join(sources, 'target'), /^[^/]*\.jar$/), into);
      cpSync(join(sources, 'pom.xml'), join(into, `${name}-${version}.pom`));
    }
  },
  dotnet: (sources, into) => {
    if (isThere('dotnet', '.NET', sources)) {
      run('dotnet', ['pack', '--configuration', 'Release', '--output', fresh(into)], filesOf(sources, /\.csproj$/).map(dirname)[0]);
    }
  },
  go: (sources, into) => cpSync(sources, fresh(into), { recursive: true }),
};

function isThere(command, language, sources) {
  const there = onPath(command);
  if (!there) {
    process.stderr.write(`no ${command}: of ${language} there are only the sources, ${sources}\n`);
  }
  return there;
}

function make(into, what) {
  const module = join(into, 'module');
  makeModule(module);
  if (what.includes('api')) {
    makeReference(module, join(into, 'API.md'));
  }
  const sources = fresh(join(into, 'sources'));
  tool('jsii-pacmak', ['--code-only', '--outdir', sources], module);
  for (const one of what.filter((language) => language !== 'api')) {
    MAKERS[one](join(sources, one), join(into, one));
  }
}

const [into, ...what] = process.argv.slice(2);
const unknown = what.find((one) => one !== 'api' && !(one in MAKERS));
if (into === undefined || unknown !== undefined) {
  process.stderr.write(`usage: make.mjs INTO [api] [${Object.keys(MAKERS).join('] [')}]\n`);
  process.exit(2);
}
try {
  make(resolve(into), what);
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}
