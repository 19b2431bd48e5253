// One gateway per state directory. The lock is a file that names its owner; whether the owner still lives is asked of /proc.
import fs from 'node:fs';
import { randomUUID } from 'node:crypto';
import { Refusal, UNAVAILABLE } from './errors.js';
import { readTextIfPresent } from './files.js';

export function acquireLock(file) {
  const startTime = startTimeOf('self');
  if (startTime === undefined) throw new Refusal('/proc/self/stat is not readable: the lock needs /proc', UNAVAILABLE);
  const mine = { pid: process.pid, startTime, bootId: bootId(), nonce: randomUUID() };
  const text = JSON.stringify(mine) + '\n';
  const prepared = `${file}.${mine.nonce}.tmp`;
  try {
    fs.writeFileSync(prepared, text, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    throw new Refusal(`the state directory must be writable: ${error.message}`);
  }
  try {
    for (let attempt = 0; attempt < 5; attempt += 1) {
      // link() fails if the name exists and brings the content along: nobody ever sees an empty lock.
      if (linked(prepared, file)) return { release: () => release(file, text) };
      const found = readTextIfPresent(file);
      if (found === undefined) continue;
      const owner = parseOwner(found);
      if (owner && lives(owner)) {
        throw new Refusal(`another gateway (pid ${owner.pid}) holds ${file}; stop it, or use another OPENCLAW_STATE_DIR`);
      }
      setAside(file, found, mine.nonce);
    }
    throw new Refusal(`${file} keeps changing hands; several gateways are starting at once`);
  } finally {
    fs.rmSync(prepared, { force: true });
  }
}

/**
 * In a fresh PID namespace the numbers begin again, so the pid of a dead gateway soon belongs to something else; the
 * start time tells them apart. In a fresh time namespace the start times begin again too: then the boot id differs, if
 * the jail has its own, and a lock that carries our own pid is never another's. An owner in a *different, living* PID
 * namespace cannot be seen from here; two jails must not share a state directory.
 */
function lives(owner) {
  return owner.pid !== process.pid && owner.bootId === bootId() && owner.startTime === startTimeOf(owner.pid);
}

/** Field 22 of /proc/PID/stat, in clock ticks since boot. Undefined if there is no such process, or only its zombie. */
export function startTimeOf(pid) {
  let stat;
  try {
    stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined;
  }
  // The name, field 2, can hold spaces and parentheses; what follows its last ")" begins with field 3.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
}

function bootId() {
  try {
    return fs.readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return null;
  }
}

function parseOwner(text) {
  try {
    const owner = JSON.parse(text);
    return Number.isSafeInteger(owner?.pid) && owner.pid > 0 ? owner : undefined;
  } catch {
    return undefined;
  }
}

function linked(from, to) {
  try {
    fs.linkSync(from, to);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

/**
 * Takes a stale lock away. Somebody may have done so just before: then what was moved is a fresh lock, and goes back. A
 * third one that starts within that very moment could still slip in; a file alone cannot rule that out.
 */
function setAside(file, judged, nonce) {
  const aside = `${file}.${nonce}.stale`;
  try {
    fs.renameSync(file, aside);
  } catch (error) {
    if (error.code === 'ENOENT') return;
    throw error;
  }
  if (readTextIfPresent(aside) !== judged) linked(aside, file);
  fs.rmSync(aside, { force: true });
}

/** Only our own lock: if it was taken over, it is no longer ours to remove. */
function release(file, text) {
  if (readTextIfPresent(file) === text) fs.rmSync(file, { force: true });
}
