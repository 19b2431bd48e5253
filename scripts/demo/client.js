'use strict';
// Runs in the jail: one request that the profile allows, and one that it does not.
const url = process.argv[2];

async function ask(method) {
  const response = await fetch(url, { method, body: method === 'POST' ? 'a secret' : undefined });
  const text = await response.text();
  console.log(`  ${method.padEnd(4)} ${url} -> ${response.status}`);
  if (response.ok) return console.log(`       ${text.trim()}`);
  const denial = JSON.parse(text);
  console.log(`       ${denial.reason}`);
  console.log(`       to allow it: ${denial.allow}`);
}

ask('GET').then(() => ask('POST')).catch((error) => {
  console.error(`  ${error.cause ?? error}`);
  process.exitCode = 1;
});
