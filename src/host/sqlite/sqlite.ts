import type { SQLInputValue } from 'node:sqlite'

type SqliteRow = Record<string, string | number | bigint | null | Uint8Array>

export interface SqliteOptions {
  path: string
  /** What the file is, for messages: `store`, `registry`. */
  what: string
  /** Step n makes version n + 1 out of version n; the version is SQLite's user_version. */
  migrations: readonly string[]
  /** Milliseconds that a statement waits for other processes. */
  patience: number
  /** Makes the file and SQLite's files beside it readable by the owner only, from the first byte on. */
  ownerOnly?: boolean
  /**
   * For a process that ends soon after it closes the file. Closing then leaves the file open until the process ends, so the
   * log is not copied into it, which would wait for the disk. Nothing is lost: the next process to open the file reads the log.
   */
  untilExit?: boolean
  /** Functions without parameters that statements may call, by name. */
  functions?: Readonly<Record<string, () => SQLInputValue>>
}

/** An open SQLite file. Each method throws a BaleError: LOCKED, STORE_DAMAGED, NO_SPACE, UNSUPPORTED_HOST. */
export interface Sqlite extends Disposable {
  /** False after a failure, such as a full disk, that made SQLite undo all of a transaction. */
  readonly inTransaction: boolean
  all<R = SqliteRow>(sql: string, ...values: SQLInputValue[]): R[]
  get<R = SqliteRow>(sql: string, ...values: SQLInputValue[]): R | undefined
  /** Number of rows changed. */
  run(sql: string, ...values: SQLInputValue[]): number
  /**
   * Runs `work` as one write transaction; a throw undoes all of it. Inside another transaction only what `work` did is
   * undone, and what it wrote is kept or lost with the outer one. Synchronous, since other processes wait meanwhile.
   */
  transaction<T>(work: () => T): T
  /**
   * As `transaction`, for work that goes on in promises. The caller sees to it that nothing else uses this opening of the file
   * meanwhile, and that the work waits for nothing but the file. `unsynced` is as the method of that name.
   */
  transactionLater<T>(work: () => Promise<T>, options?: { unsynced?: boolean }): Promise<T>
  /**
   * As `transaction`, without waiting for the disk: a crash of the process loses nothing, a power cut may lose what was
   * written. Inside a transaction it is part of that.
   */
  unsynced<T>(work: () => T): T
}
