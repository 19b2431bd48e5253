// A workload that needs more than `research`: a directory for its cache, git, a program of its own with 40 system calls, two
// hosts, one of them for one POST, and more memory. It ends with what is missing first.
//
// Usage: node work.js CACHE CALLS
"use strict";
const { spawnSync } = require("node:child_process");
const fs = require("node:fs");
const [cache, calls] = process.argv.slice(2);

function fail(text) {
  console.error(`missing: ${text}`);
  process.exit(1);
}

function run(program, ...words) {
  const done = spawnSync(program, words, { encoding: "utf8", cwd: cache });
  if (done.error) fail(`${program}: ${done.error.code}`);
  if (done.status !== 0) fail(`${program}: ${done.stderr || done.stdout}`);
  return done.stdout.trim();
}

async function ask(url, options) {
  const answer = await fetch(url, options).catch((error) => fail(`${url}: ${error.cause?.code ?? error}`));
  if (answer.status !== 200) fail(`${options?.method ?? "GET"} ${url}: ${answer.status}`);
  return answer.text();
}

async function main() {
  try {
    fs.writeFileSync(`${cache}/state`, String(Date.now()));
  } catch (error) {
    fail(`the cache: ${error.code}`);
  }
  const blob = run("git", "hash-object", `${cache}/state`);
  if (!/^[0-9a-f]{40}$/.test(blob)) fail(`git said ${blob}`);
  await ask("https://other.example/echo", { method: "PUT", body: blob });
  await ask("https://api.example/echo", { method: "POST", body: blob });
  run(calls);
  const large = Buffer.alloc(640 << 20, 1);
  console.log(`done: ${blob} ${large.length}`);
}

main();
