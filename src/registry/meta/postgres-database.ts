import type pg from 'pg'
import { BaleError } from '#base'
import { migratePostgres } from './postgres-migrate.ts'
import { OutOfDate, type Sql, type SqlDatabase, type SqlRow, type SqlValue, type Transaction } from './sql.ts'

/** Where a registry's PostgreSQL is. */
export interface PostgresOptions {
  /** `postgres://user@host:port/database`; several hosts may be given, of which the one that takes writes is used. */
  url: string
  password?: string
  /** PEM text of the authority that the server's certificate must be from; without it, as the URL's sslmode says. */
  ca?: string
  /** Connections at once, 10 by default. */
  connections?: number
  /** Milliseconds that a transaction is tried again for while the server is away; 5,000 by default. */
  patience?: number
}

/** Opens a registry's database and makes its tables, or brings them to the newest version. */
export async function openPostgresDatabase(options: PostgresOptions): Promise<SqlDatabase> {
  // A registry on SQLite need not load the client.
  const { default: client } = await import('pg')
  const server = new PostgresServer(options, client)
  try {
    await server.transaction((sql) => migratePostgres(sql))
    return server
  } catch (error) {
    await server.close()
    throw error
  }
}

const PATIENCE = 5_000
const CONNECTIONS = 10
const CONNECT_TIMEOUT = 3_000
/** Of one statement, on the server. Longer than the longest wait for a lock that goes well. */
const STATEMENT_TIMEOUT = 30_000
const MOST_TRIES = 50

class PostgresServer implements SqlDatabase {
  readonly #pools: pg.Pool[]
  readonly #patience: number
  /** The host that was last seen to take writes. */
  #current = 0

  constructor(options: PostgresOptions, { Pool }: typeof pg) {
    this.#patience = options.patience ?? PATIENCE
    this.#pools = hostsOf(options.url).map((connectionString) => {
      const pool = new Pool(poolOptions(connectionString, options))
      // A connection that breaks is replaced when one is needed; what is under way on it fails.
      pool.on('error', () => undefined)
      pool.on('connect', (client) => client.on('error', () => undefined))
      return pool
    })
  }

  async all(sql: string, ...values: SqlValue[]): Promise<SqlRow[]> {
    return await this.#repeatedly((client) => query(client, sql, values).then(({ rows }) => rows as SqlRow[]))
  }

  async get(sql: string, ...values: SqlValue[]): Promise<SqlRow | undefined> {
    return (await this.all(sql, ...values))[0]
  }

  /** Not tried again when its answer was lost: it may have been done. */
  async run(sql: string, ...values: SqlValue[]): Promise<number> {
    return await this.transaction((within) => within.run(sql, ...values))
  }

  async transaction<T>(
    work: (sql: Transaction) => Promise<T>,
    { durable = true }: { durable?: boolean } = {},
  ): Promise<T> {
    return await this.#repeatedly(async (client, committing) => {
      await client.query(durable ? 'BEGIN' : 'BEGIN; SET LOCAL synchronous_commit TO off')
      try {
        const result = await work(transactionOf(client))
        committing()
        await client.query('COMMIT')
        return result
      } catch (error) {
        // On a connection that is gone the server rolls back by itself.
        await client.query('ROLLBACK').catch(() => undefined)
        throw error
      }
    })
  }

  async close(): Promise<void> {
    await Promise.all(this.#pools.map((pool) => pool.end()))
  }

  /** Tries again what another transaction was in the way of, and, for some time, what found no server. */
  async #repeatedly<T>(work: (client: pg.PoolClient, committing: () => void) => Promise<T>): Promise<T> {
    const end = performance.now() + this.#patience
    for (let tries = 1; ; tries++) {
      let mayBeDone = false
      try {
        return await this.#withClient((client) =>
          work(client, () => {
            mayBeDone = true
          }),
        )
      } catch (error) {
        const kind = kindOf(error)
        const again = kind === 'conflict' || (kind === 'away' && !mayBeDone && performance.now() < end)
        if (!again || tries === MOST_TRIES) throw asBaleError(error, kind)
        if (kind === 'away') this.#current = (this.#current + 1) % this.#pools.length
        await new Promise((resolve) => setTimeout(resolve, Math.random() * (kind === 'away' ? 300 : 10 * tries)))
      }
    }
  }

  async #withClient<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    const client = await this.#pools[this.#current]!.connect()
    let broken = false
    try {
      return await work(client)
    } catch (error) {
      broken = kindOf(error) === 'away'
      throw error
    } finally {
      client.release(broken)
    }
  }
}

function poolOptions(
  connectionString: string,
  { password, ca, connections = CONNECTIONS }: PostgresOptions,
): pg.PoolConfig {
  return {
    connectionString,
    ...(password !== undefined && { password }),
    ...(ca !== undefined && { ssl: { ca } }),
    max: connections,
    connectionTimeoutMillis: CONNECT_TIMEOUT,
    statement_timeout: STATEMENT_TIMEOUT,
    keepAlive: true,
    application_name: 'bale-registry',
  }
}

/** One URL for each of the hosts, as libpq takes them: `postgres://user@a:1,b:2/database`. */
function hostsOf(url: string): string[] {
  const parts = /^(postgres(?:ql)?:\/\/(?:[^@/]*@)?)([^/?]+)(.*)$/.exec(url)
  if (!parts)
    throw new BaleError('INVALID_ARGUMENT', 'the URL of the database is not postgres://user@host:port/database')
  const [, before, hosts, after] = parts
  return hosts!.split(',').map((host) => `${before}${host}${after}`)
}

function transactionOf(client: pg.PoolClient): Transaction {
  const sql: Sql = {
    all: async (text, ...values) => (await query(client, text, values)).rows as SqlRow[],
    get: async (text, ...values) => (await query(client, text, values)).rows[0] as SqlRow | undefined,
    run: async (text, ...values) => (await query(client, text, values)).rowCount ?? 0,
  }
  return {
    ...sql,
    lock: (strength, { of, skipLocked } = {}) =>
      `FOR ${strength}${of ? ` OF ${of}` : ''}${skipLocked ? ' SKIP LOCKED' : ''}`,
  }
}

const prepared = new Map<string, { name: string; text: string }>()

/** Statements are prepared once on each connection. */
function query(client: pg.PoolClient, sql: string, values: SqlValue[]): Promise<pg.QueryResult> {
  let statement = prepared.get(sql)
  if (!statement) {
    let number = 0
    statement = { name: `s${prepared.size}`, text: sql.replaceAll('?', () => `$${++number}`) }
    prepared.set(sql, statement)
  }
  return client.query({ ...statement, values: values.map(asBytes) })
}

const asBytes = (value: SqlValue) =>
  value instanceof Uint8Array ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : value

/** What others did at the same time: deadlock, serialization, a row that came or went between two statements. */
const CONFLICTS = new Set(['40001', '40P01', '23503', '23505'])
/** Shut down, starting, too many connections, read-only (a standby), cut connections. */
const AWAY =
  /^(?:57P0[1-5]|53300|25006|08...|ECONN|EPIPE|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOENT)/

function kindOf(error: unknown): 'conflict' | 'away' | 'other' {
  if (error instanceof OutOfDate) return 'conflict'
  if (error instanceof BaleError || !(error instanceof Error)) return 'other'
  const code = String((error as { code?: unknown }).code ?? '')
  if (CONFLICTS.has(code)) return 'conflict'
  if (AWAY.test(code)) return 'away'
  // The client has no codes for these.
  return /^(?:Connection terminated|Client has encountered a connection error|timeout exceeded when trying to connect)/.test(
    error.message,
  )
    ? 'away'
    : 'other'
}

function asBaleError(error: unknown, kind: ReturnType<typeof kindOf>): unknown {
  const code = String((error as { code?: unknown } | undefined)?.code ?? '')
  if (kind === 'away')
    return new BaleError('UNAVAILABLE', 'the database of the registry does not answer', { cause: error })
  if (kind === 'conflict') return new BaleError('UNAVAILABLE', 'too many write the same at once', { cause: error })
  if (code === '57014') {
    return new BaleError('UNAVAILABLE', 'the database of the registry takes too long', { cause: error })
  }
  if (code === '53100')
    return new BaleError('NO_SPACE', "the disk of the registry's database is full", { cause: error })
  // Out of memory, of locks, of what a setting allows; what the disk did not do. Another try may go well.
  if (/^(?:53|58030)/.test(code)) {
    return new BaleError('UNAVAILABLE', 'the database of the registry lacks what it needs', { cause: error })
  }
  if (code.startsWith('28')) {
    return new BaleError('DENIED', 'the database refuses the user or password of the registry', { cause: error })
  }
  if (code === '22021') return new BaleError('INVALID_MANIFEST', 'a text has a NUL character', { cause: error })
  if (code === '3D000')
    return new BaleError('INVALID_ARGUMENT', 'the database of the registry does not exist', { cause: error })
  return error
}
