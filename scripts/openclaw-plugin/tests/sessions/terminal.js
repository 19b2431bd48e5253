// Commands with a terminal (`pty: true` of OpenClaw's exec tool).
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { Gateway, run, textOf } from '../harness.js';

test('terminal: both ends are one, of the caller\'s size', async (t) => {
  const handle = await new Gateway(t).open();
  const isTerminal = 'for n in 0 1 2; do test -t $n && printf "$n "; done; stty size';
  assert.equal((await run(handle, isTerminal, { pty: { rows: 40, columns: 100 } })).text, '0 1 2 40 100\r\n');
  assert.equal((await run(handle, 'for n in 0 1 2; do test -t $n && printf "$n "; done; echo none')).text, 'none\n');
  assert.match((await run(handle, 'tty; stat -c %A "$(tty)"', { pty: {} })).text, /^\/dev\/pts\/\d+\r\ncrw--w----\r\n$/);
});

test('terminal: what is typed arrives, and is shown', async (t) => {
  const handle = await new Gateway(t).open();
  const pty = { steps: [['expect', 'name? '], ['send', 'Ada\r'], ['expect', 'hello Ada']] };
  const { code, text } = await run(handle, 'printf "name? "; read name; echo "hello $name"; exit 6', { pty });
  assert.deepEqual([code, text], [6, 'name? Ada\r\nhello Ada\r\n']);
});

test('terminal: another size is told', async (t) => {
  const handle = await new Gateway(t).open();
  const pty = { rows: 24, columns: 80, steps: [['expect', 'ready'], ['resize', 50, 132], ['expect', '50 132']] };
  const { code } = await run(handle, 'trap "stty size; exit 0" WINCH; echo ready; while :; do sleep 0.05; done', { pty });
  assert.equal(code, 0);
});

test('terminal: ^C and ^D', async (t) => {
  const handle = await new Gateway(t).open();
  const interrupted = await run(handle, 'trap "echo caught; exit 5" INT; echo ready; while :; do sleep 0.05; done', { pty: { steps: [['expect', 'ready'], ['send', '\x03'], ['expect', 'caught']] } });
  assert.equal(interrupted.code, 5);
  assert.equal((await run(handle, 'echo ready; exec sleep 100', { pty: { steps: [['expect', 'ready'], ['send', '\x03']] } })).code, 130);
  const ended = await run(handle, 'echo ready; cat; echo end', { pty: { steps: [['expect', 'ready'], ['send', '\x04'], ['expect', 'end']] } });
  assert.equal(ended.code, 0);
});

test('terminal: its environment and working directory are those of any command', async (t) => {
  const handle = await new Gateway(t).open();
  await textOf(handle, 'mkdir sub');
  const { text } = await run(handle, 'echo "$A"; pwd', { pty: {}, workdir: '/workspace/sub', env: { A: 'one\ntwo' } });
  assert.equal(text, 'one\r\ntwo\r\n/workspace/sub\r\n');
});

test('terminal: much output arrives in full', async (t) => {
  const handle = await new Gateway(t).open();
  const { text } = await run(handle, 'stty -opost; seq 200000; echo end', { pty: { seconds: 60 } });
  assert.equal(text, `${Array.from({ length: 200_000 }, (_, i) => `${i + 1}\n`).join('')}end\n`);
});
