// The sandbox backend: what OpenClaw asks for when a sandboxed chat is about to run something.
import { createHash } from 'node:crypto';
import path from 'node:path';
import { secretWords } from './config.js';
import { Custody } from './custody.js';
import { readDockerSettings } from './docker-settings.js';
import { encodeEnvironment } from './environment.js';
import { mountsOf } from './mounts.js';
import { WORKSPACE, isWithin, shortest } from './paths.js';
import { STATUS } from './program.js';
import { checkRuntimeId, groupOf, runtimeIdOf } from './runtime-id.js';
import { Session } from './session.js';

/** Makes sure that the chat's session runs, and returns what OpenClaw works with. */
export async function createBackend(params, { id, config, program, environmentFiles }) {
  const assertCurrent = () => params.assertRuntimeCurrent?.();
  assertCurrent();
  const runtimeId = checkRuntimeId(params.runtimeId ?? runtimeIdOf(params));
  const { words: limits, variables } = readDockerSettings(params);
  const { words: mounts, roots } = mountsOf(params);
  const words = [
    ...(config.profile === undefined ? [] : ['--profile', config.profile]),
    ...(config.user === undefined ? [] : ['--user', config.user]),
    // A jailed gateway's sessions share it anyhow.
    ...(config.profile === undefined ? [] : ['--egress-group', groupOf(params)]),
    ...secretWords(config, params.scopeKey),
    ...mounts, ...limits,
  ];
  const label = configurationLabel(config, words);
  const session = new Session(program, runtimeId, { words, label, scopeKey: params.scopeKey });
  await session.ensure();
  assertCurrent();

  const custody = new Custody(session);
  const runShellCommand = shellCommands({ program, session, variables, assertCurrent });
  return {
    id,
    runtimeId,
    runtimeLabel: runtimeId,
    workdir: WORKSPACE,
    workdirRoots: roots,
    workdirValidation: 'backend',
    env: variables,
    configLabel: label,
    configLabelKind: 'Profile',
    capabilities: { browser: false, readOnlyResourceMounts: true },
    validateWorkdir: (workdir) => validateWorkdir(workdir, roots, runShellCommand),

    async buildExecSpec({ command, workdir, env, usePty }) {
      assertCurrent();
      const { execId, variables: own, assertNotEnded } = custody.take(env);
      // A session that ended since, by a crash or by 'clawjail session remove', is made anew.
      await session.ensure();
      const assertWanted = () => { assertCurrent(); assertNotEnded(); };
      assertWanted();
      const environmentFile = environmentFiles.write(own);
      return {
        argv: [program.file, ...session.execWords({
          workdir: workdir ?? WORKSPACE, environmentFile, tty: usePty, execId, command: ['/bin/sh', '-lc', command],
        })],
        env: program.environment,
        stdinMode: usePty ? 'pipe-open' : 'pipe-closed',
        assertCurrent: assertWanted,
        finalizeToken: environmentFile,
      };
    },
    async finalizeExec({ token }) {
      if (token !== undefined) environmentFiles.remove(token);
    },
    prepareProcessCleanup(env) {
      assertCurrent();
      return custody.prepare(env);
    },
    runShellCommand,
  };
}

/** Profile and a short hash of all that a session is made from: another one means another configuration. */
function configurationLabel({ profile = 'gateway' }, words) {
  return `${profile}@${createHash('sha256').update(JSON.stringify(words)).digest('hex').slice(0, 12)}`;
}

/** OpenClaw's own commands (its file tools): `sh -c SCRIPT openclaw-sandbox-fs ARGUMENTS`. */
function shellCommands({ program, session, variables, assertCurrent }) {
  return async ({ script, args = [], stdin, allowFailure = false, signal }) => {
    const run = () => {
      assertCurrent();
      return program.collect(
        session.execWords({ environmentDescriptor: 3, command: ['/bin/sh', '-c', script, 'openclaw-sandbox-fs', ...args] }),
        { input: stdin, descriptor: encodeEnvironment(variables), signal });
    };
    let result = await run();
    // The status alone says nothing, a script may end with the same. That the session is gone, only clawjail can say.
    if ([STATUS.unknown, STATUS.state].includes(result.code) && !(await session.inspect())?.running) {
      await session.ensure();
      result = await run();
    }
    if (result.code === 0 || allowFailure) return result;
    const said = result.stderr.toString().trim();
    throw Object.assign(new Error(said || `the command ended with status ${result.code}`), result);
  };
}

/**
 * The directory that a command is to start in, if it is one of the session's and no link leads to it; else null.
 *
 * Asked of the session, because what a path leads to is decided there.
 */
async function validateWorkdir(workdir, roots, runShellCommand) {
  if (typeof workdir !== 'string' || !path.posix.isAbsolute(workdir) || workdir.includes('\0')) return null;
  const wanted = shortest(workdir);
  if (!roots.some((root) => isWithin(root, wanted))) return null;
  // Without links on the way, the physical path is the one that was named.
  const { code, stdout } = await runShellCommand({ script: 'cd -P -- "$1" && pwd -P', args: [wanted], allowFailure: true });
  return code === 0 && stdout.toString() === `${wanted}\n` ? wanted : null;
}
