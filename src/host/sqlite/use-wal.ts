import type { DatabaseSync } from 'node:sqlite'

const BUSY = 5
/** Milliseconds. */
const PAUSE = 5

/**
 * Switches to the write-ahead log. That needs the file alone and does not wait by itself, so it is tried again for
 * `patience` milliseconds; it happens once in a file's life.
 */
export function useWal(file: DatabaseSync, patience: number): void {
  for (let left = patience; ; left -= PAUSE) {
    const { journal_mode: mode } = file.prepare('PRAGMA journal_mode').get() as { journal_mode: string }
    if (mode === 'wal') return
    try {
      file.exec('PRAGMA journal_mode = WAL')
      return
    } catch (error) {
      if ((error as { errcode?: number }).errcode !== BUSY || left <= 0) throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE)
    }
  }
}
