// Sessions and tool calls that outlive the process: SQLite where this Node has it, otherwise JSON lines, behind one
// interface: append(kind, record), recent(kind, limit), count(kind), close().
import fs from 'node:fs';
import path from 'node:path';
import { readTextIfPresent, replaceFile } from './files.js';

/** Older records are dropped: nobody reads them, and a jail's data directory is small. */
const KEEP = 1000;

export async function openStore(directory) {
  let sqlite;
  try {
    sqlite = await import('node:sqlite');
  } catch (error) {
    // Only its absence leads to the substitute. A SQLite that is there and does not work is for people to see.
    if (error.code !== 'ERR_UNKNOWN_BUILTIN_MODULE') throw error;
    return new JsonLinesStore(path.join(directory, 'openclaw.jsonl'));
  }
  return new SqliteStore(new sqlite.DatabaseSync(path.join(directory, 'openclaw.sqlite')));
}

class SqliteStore {
  format = 'sqlite';
  #database;
  #appended = 0;

  constructor(database) {
    this.#database = database;
    // The write-ahead log needs shared memory and byte-range locks, just as OpenClaw's own databases do.
    database.exec('PRAGMA journal_mode = WAL; PRAGMA busy_timeout = 2000;');
    database.exec('CREATE TABLE IF NOT EXISTS records (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, body TEXT NOT NULL)');
    this.#prune();
  }

  append(kind, record) {
    this.#database.prepare('INSERT INTO records (kind, body) VALUES (?, ?)').run(kind, JSON.stringify(record));
    this.#appended += 1;
    if (this.#appended % KEEP === 0) this.#prune();
  }

  recent(kind, limit) {
    const rows = this.#database.prepare('SELECT body FROM records WHERE kind = ? ORDER BY id DESC LIMIT ?').all(kind, limit);
    return rows.reverse().map((row) => JSON.parse(row.body));
  }

  count(kind) {
    return this.#database.prepare('SELECT COUNT(*) AS count FROM records WHERE kind = ?').get(kind).count;
  }

  close() {
    this.#database.close();
  }

  #prune() {
    this.#database.exec(`DELETE FROM records WHERE id <= (SELECT MAX(id) FROM records) - ${KEEP}`);
  }
}

export class JsonLinesStore {
  format = 'jsonl';
  #file;
  #fd;
  #rows;

  constructor(file) {
    this.#file = file;
    this.#rows = (readTextIfPresent(file) ?? '').split('\n').flatMap(parseRow);
    // Also ends a last line that a crash left torn, before anything is appended to it.
    this.#compact();
  }

  append(kind, record) {
    const row = { kind, body: record };
    fs.appendFileSync(this.#fd, JSON.stringify(row) + '\n');
    this.#rows.push(row);
    if (this.#rows.length >= 2 * KEEP) this.#compact();
  }

  recent(kind, limit) {
    return this.#rows.filter((row) => row.kind === kind).slice(-limit).map((row) => row.body);
  }

  count(kind) {
    return this.#rows.filter((row) => row.kind === kind).length;
  }

  close() {
    fs.closeSync(this.#fd);
  }

  #compact() {
    this.#rows = this.#rows.slice(-KEEP);
    replaceFile(this.#file, this.#rows.map((row) => JSON.stringify(row) + '\n').join(''));
    if (this.#fd !== undefined) fs.closeSync(this.#fd);
    this.#fd = fs.openSync(this.#file, 'a', 0o600);
  }
}

function parseRow(line) {
  try {
    const row = JSON.parse(line);
    return typeof row?.kind === 'string' ? [row] : [];
  } catch {
    return [];
  }
}
