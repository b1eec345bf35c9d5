/**
 * A PostgreSQL server of a test's own: on a free port of loopback, in a temporary directory, run by the user postgres. Needs
 * root and Debian's postgresql.
 */
import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { appendFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { freePort } from './free-port.ts'
import { until, untilItWorks } from './until.ts'

const run = promisify(execFile)
const LIBRARY = '/usr/lib/postgresql'

export interface Postgres extends AsyncDisposable {
  port: number
  /** Makes an empty database. Returns its URL. */
  database(): Promise<string>
  /** Ends all of its processes at once. */
  kill(): Promise<void>
  start(): Promise<void>
  /** False after it was killed, or gave up by itself. */
  isRunning(): boolean
  /** Gives a disk of a size of its own another one, in mebibytes. */
  resizeDisk(mebibytes: number): Promise<void>
  /** A server that has what this one acknowledges, before it does, and takes writes once it is promoted. */
  standby(): Promise<Standby>
}

export interface Standby extends AsyncDisposable {
  port: number
  promote(): Promise<void>
}

/** Why it cannot run on this machine, for `skip`; false when it can. */
export function withoutPostgres(): string | false {
  if (process.getuid?.() !== 0) return 'needs root, for the user postgres'
  return programs() ? false : 'postgresql is not installed (apt-get install postgresql)'
}

const SETTINGS = `listen_addresses = '127.0.0.1'
unix_socket_directories = ''
shared_buffers = 32MB
max_connections = 60
wal_retrieve_retry_interval = 200ms
`

/**
 * A running server. What it wrote before `kill` it keeps: its files are synced. With `disk`, all of its files are on a disk of
 * so many mebibytes; 64 leave room for little.
 */
export async function startPostgres({ disk }: { disk?: number } = {}): Promise<Postgres> {
  const primary = await Cluster.make(disk, async (cluster) => {
    await cluster.run(
      'initdb',
      '-D',
      cluster.data,
      '-U',
      'bale',
      '-A',
      'trust',
      '-E',
      'UTF8',
      '--locale=C',
      '--no-sync',
      ...(disk === undefined ? [] : ['--wal-segsize=1']),
    )
    const small = disk === undefined ? '' : 'min_wal_size = 2MB\nmax_wal_size = 8MB\n'
    await appendFile(join(cluster.data, 'postgresql.conf'), `${SETTINGS}${small}port = ${cluster.port}\n`)
  })
  const { port } = primary
  const address = ['-h', '127.0.0.1', '-p', String(port), '-U', 'bale']
  let made = 0
  return {
    port,
    kill: () => primary.kill(),
    start: () => primary.start(),
    isRunning: () => primary.isRunning(),
    async resizeDisk(mebibytes) {
      await run('mount', ['-o', `remount,size=${mebibytes}m`, primary.directory])
    },
    async database() {
      const name = `registry${++made}`
      await primary.run('createdb', ...address, name)
      return `postgres://bale@127.0.0.1:${port}/${name}`
    },
    async standby() {
      const standby = await Cluster.make(undefined, async (cluster) => {
        await primary.run(
          'pg_basebackup',
          ...address,
          '-D',
          cluster.data,
          '-R',
          '-X',
          'stream',
          '-c',
          'fast',
          '--no-sync',
        )
        await appendFile(join(cluster.data, 'postgresql.conf'), `port = ${cluster.port}\n`)
      })
      const ask = async (sql: string) => (await primary.run('psql', ...address, '-d', 'postgres', '-tAc', sql)).stdout
      await ask("ALTER SYSTEM SET synchronous_standby_names = '*'")
      await ask('SELECT pg_reload_conf()')
      await until('the standby has all', async () =>
        /sync/.test(await ask('SELECT sync_state FROM pg_stat_replication')),
      )
      return {
        port: standby.port,
        promote: () => standby.promote(),
        [Symbol.asyncDispose]: () => standby[Symbol.asyncDispose](),
      }
    },
    [Symbol.asyncDispose]: () => primary[Symbol.asyncDispose](),
  }
}

/** The files of one server, and its processes. */
class Cluster implements AsyncDisposable {
  readonly directory: string
  readonly data: string
  readonly port: number

  private constructor(directory: string, port: number) {
    this.directory = directory
    this.data = join(directory, 'data')
    this.port = port
  }

  /** With what `fill` writes into its directory, started. */
  static async make(disk: number | undefined, fill: (cluster: Cluster) => Promise<unknown>): Promise<Cluster> {
    const directory = await mkdtemp(join(tmpdir(), 'bale-pg-'))
    const cluster = new Cluster(directory, await freePort())
    try {
      if (disk !== undefined) await run('mount', ['-t', 'tmpfs', '-o', `size=${disk}m,mode=700`, 'tmpfs', directory])
      await run('chown', ['postgres', directory])
      await fill(cluster)
      await cluster.start()
      return cluster
    } catch (error) {
      await cluster[Symbol.asyncDispose]()
      throw error
    }
  }

  /** One of PostgreSQL's programs, as its user. */
  run(program: string, ...args: string[]): Promise<{ stdout: string }> {
    return run(
      'setpriv',
      ['--reuid=postgres', '--regid=postgres', '--clear-groups', '--', join(programs()!, program), ...args],
      { env: { HOME: this.directory, PATH: process.env['PATH'], LC_ALL: 'C' }, cwd: '/' },
    )
  }

  async start(): Promise<void> {
    const log = join(this.directory, 'log')
    // What was killed a moment ago may still look as if it ran.
    await untilItWorks(() => this.run('pg_ctl', '-D', this.data, '-l', log, '-w', '-t', '60', 'start'))
  }

  isRunning(): boolean {
    const file = join(this.data, 'postmaster.pid')
    return existsSync(file) && existsSync(`/proc/${readFileSync(file, 'utf8').split('\n')[0]}`)
  }

  /** It is no standby from then on, and waits for none. */
  async promote(): Promise<void> {
    await this.run('pg_ctl', '-D', this.data, '-w', 'promote')
    const address = ['-h', '127.0.0.1', '-p', String(this.port), '-U', 'bale', '-d', 'postgres']
    await this.run('psql', ...address, '-c', 'ALTER SYSTEM RESET synchronous_standby_names')
    await this.run('psql', ...address, '-c', 'SELECT pg_reload_conf()')
  }

  async kill(): Promise<void> {
    const pid = readFileSync(join(this.data, 'postmaster.pid'), 'utf8').split('\n')[0]!
    const children = await run('pgrep', ['-P', pid]).then(
      ({ stdout }) => stdout.split('\n').filter(Boolean),
      () => [],
    )
    for (const one of [pid, ...children]) process.kill(Number(one), 'SIGKILL')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (existsSync(join(this.data, 'postmaster.pid'))) await this.kill().catch(() => undefined)
    // Fails where no disk was mounted.
    await run('umount', ['-l', this.directory]).catch(() => undefined)
    await rm(this.directory, { recursive: true, force: true, maxRetries: 5 })
  }
}

function programs(): string | undefined {
  const versions = existsSync(LIBRARY) ? readdirSync(LIBRARY) : []
  return versions.map((version) => join(LIBRARY, version, 'bin')).find((path) => existsSync(join(path, 'initdb')))
}
