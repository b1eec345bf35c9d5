/**
 * One SQL for both databases. Statements have `?` for their values, call `now_ms()` for the database's time in milliseconds since
 * 1970, and avoid what only one of them has. Text compares by bytes; integers may come as text: rows are read by the
 * functions below.
 */
export interface Sql {
  all(sql: string, ...values: SqlValue[]): Promise<SqlRow[]>
  get(sql: string, ...values: SqlValue[]): Promise<SqlRow | undefined>
  /** Number of rows changed. */
  run(sql: string, ...values: SqlValue[]): Promise<number>
}

export type SqlValue = string | number | null | Uint8Array
export type SqlRow = Record<string, unknown>

/** Statements of one transaction. */
export interface Transaction extends Sql {
  /**
   * What ends a SELECT whose rows others must not change or remove (`UPDATE`), or not remove (`KEY SHARE`), until the
   * transaction ends. Empty where a transaction has the database for itself.
   */
  lock(strength: 'UPDATE' | 'KEY SHARE', options?: { of?: string; skipLocked?: boolean }): string
}

export interface SqlDatabase extends Sql {
  /**
   * All of the work or nothing of it. It may run several times, when others were in its way: it must do nothing but
   * statements. A statement outside of one is a transaction of its own. With `durable: false` a power cut, but no crash, may
   * lose what was written.
   */
  transaction<T>(work: (sql: Transaction) => Promise<T>, options?: { durable?: boolean }): Promise<T>
  /**
   * A number that is another one after any change that anybody made, where telling that costs next to nothing: it is asked for at
   * each request.
   */
  version?(): number
  close(): Promise<void>
}

/** Thrown within a transaction to have it run again: what it relied on was changed by another one. */
export class OutOfDate extends Error {}

export const text = (value: unknown): string => String(value)
export const optionalText = (value: unknown): string | undefined =>
  value === null || value === undefined ? undefined : String(value)
