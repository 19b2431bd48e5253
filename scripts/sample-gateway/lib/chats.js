// The `chat` tool: runs a command in the sandbox of one chat, as OpenClaw does for sessions that are not the main one.
// Each chat has a workspace of its own below the state directory, and a sandbox that clawjail makes when it is asked.
import fs from 'node:fs/promises';
import path from 'node:path';
import { ToolError } from './errors.js';
import { runProgram } from './exec.js';

/** How long a sandbox may take to be made. */
const MAKING_MS = 30_000;

export async function runInChat({ chat, command }, timeoutMs, signal) {
  if (!/^[a-z0-9][a-z0-9_-]{0,47}$/.test(chat ?? '')) throw new ToolError('BAD_PARAMS', '"chat" must be of a-z, 0-9, "-" and "_", at most 48');
  if (!process.env.OPENCLAW_STATE_DIR) throw new ToolError('NO_STATE', 'chats need OPENCLAW_STATE_DIR');
  const workspace = path.join(process.env.OPENCLAW_STATE_DIR, 'sandboxes', chat);
  await fs.mkdir(workspace, { recursive: true });
  // Once is enough; asked again it is the same sandbox.
  const made = await clawjail(['create', '--id', chat, '--workspace', `${workspace}:/workspace`], MAKING_MS, signal);
  if (made.exitCode !== 0) throw new ToolError('NO_SANDBOX', made.stderr.trim());
  return clawjail(['exec', chat, '--', '/bin/sh', '-lc', command], timeoutMs, signal);
}

function clawjail(words, timeoutMs, signal) {
  return runProgram(['clawjail', 'session', ...words], { timeoutMs, signal });
}
