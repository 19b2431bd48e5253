// Replacing a file so that a reader, or a power cut, finds the old content or the new one and nothing between.
import fs from 'node:fs';
import path from 'node:path';
import { randomUUID } from 'node:crypto';

export function replaceFile(file, text, mode = 0o600) {
  // In the same directory, because rename does not cross file systems; a fresh name, because a leftover may lie there.
  const temporary = `${file}.${randomUUID()}.tmp`;
  try {
    const fd = fs.openSync(temporary, 'wx', mode);
    try {
      fs.writeFileSync(fd, text);
      fs.fsyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
    fs.renameSync(temporary, file);
  } catch (error) {
    fs.rmSync(temporary, { force: true });
    throw error;
  }
  // The rename itself is only durable once the directory is.
  const directory = fs.openSync(path.dirname(file), 'r');
  try {
    fs.fsyncSync(directory);
  } finally {
    fs.closeSync(directory);
  }
}

/** The text of a file, or undefined where there is none. */
export function readTextIfPresent(file) {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Makes a directory and those above it. Node's own recursive mkdir calls a read-only file system ENOENT, which misleads. */
export function makeDirectory(directory) {
  try {
    fs.mkdirSync(directory, { mode: 0o700 });
  } catch (error) {
    if (error.code === 'EEXIST') return;
    const parent = path.dirname(directory);
    if (error.code !== 'ENOENT' || parent === directory) throw error;
    makeDirectory(parent);
    fs.mkdirSync(directory, { mode: 0o700 });
  }
}
