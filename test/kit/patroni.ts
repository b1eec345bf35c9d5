/**
 * PostgreSQL that fails over by itself: Patroni keeps a primary and a synchronous standby, and etcd says which is which. On
 * loopback, in a temporary directory. Needs root and Debian's postgresql, patroni, python3-etcd and etcd-server.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, globSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { chown } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import { execute } from './bale.ts'
import { freePort } from './free-port.ts'
import { temporaryDirectory } from './temporary.ts'
import { until } from './until.ts'

export interface Patroni extends AsyncDisposable {
  /** Makes an empty database. Returns its URL, with both hosts. */
  database(): Promise<string>
  /** The primary of this moment. */
  primary(): Promise<PatroniNode>
  /** Fulfilled when one is primary and the other follows it synchronously. */
  settled(): Promise<void>
}

export interface PatroniNode {
  readonly name: string
  /** Ends Patroni and its PostgreSQL at once, as the loss of the machine does. */
  kill(): Promise<void>
  /** Comes back with the files it had. */
  start(): void
}

const LIBRARY = globSync('/usr/lib/postgresql/*/bin')[0]
const PROGRAMS = ['/usr/bin/patroni', '/usr/bin/etcd', `${LIBRARY}/initdb`]

/** Why it cannot run on this machine, for `skip`; false when it can. */
export function withoutPatroni(): string | false {
  if (process.getuid?.() !== 0) return 'needs root, for the user postgres'
  const missing = PROGRAMS.filter((program) => !existsSync(program))
  return missing.length > 0
    ? `${missing.join(', ')} not installed (apt-get install patroni python3-etcd etcd-server postgresql)`
    : false
}

export async function startPatroni(): Promise<Patroni> {
  await using started = new AsyncDisposableStack()
  const directory = started.use(await temporaryDirectory('bale-patroni'))
  const { uid, gid } = await userPostgres()
  await chown(directory.path, uid, gid)
  const children = new Set<ChildProcess>()
  started.defer(async () => {
    await Promise.all([...children].map(ended))
  })
  const run = (name: string, command: string[], options: { uid?: number; gid?: number } = {}) => {
    const log = openSync(join(directory.path, `${name}.log`), 'a')
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', ...command], {
      ...options,
      cwd: '/',
      stdio: ['ignore', log, log],
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', HOME: directory.path, LC_ALL: 'C' },
    })
    children.add(child)
    child.once('exit', () => children.delete(child))
    return child
  }
  const etcd = await startEtcd(directory.path, run)
  const nodes = await Promise.all(['one', 'two'].map((name) => makeNode(name, { directory: directory.path, etcd })))
  const begin = (node: Node) => {
    node.child = run(node.name, ['patroni', node.config], { uid, gid })
  }
  for (const node of nodes) begin(node)
  const primaryNow = async () => {
    for (const node of nodes) if ((await roleOf(node)) === 'primary') return node
    return undefined
  }
  const patroni: Patroni = {
    async database() {
      const { port } = await until('there is a primary', primaryNow)
      const client = new pg.Client({ host: '127.0.0.1', port, user: 'postgres', database: 'postgres' })
      await client.connect()
      await client.query('CREATE DATABASE registry')
      await client.end()
      return `postgres://postgres@${nodes.map((node) => `127.0.0.1:${node.port}`).join(',')}/registry`
    },
    async primary() {
      const node = await until('there is a primary', primaryNow)
      return {
        name: node.name,
        start: () => begin(node),
        async kill() {
          const postmaster = Number(readFileSync(join(node.data, 'postmaster.pid'), 'utf8').split('\n')[0])
          node.child!.kill('SIGKILL')
          process.kill(postmaster, 'SIGKILL')
          await once(node.child!, 'exit')
        },
      }
    },
    async settled() {
      await until('the standby has all that the primary answers', async () => {
        const roles = await Promise.all(nodes.map(roleOf))
        return roles.includes('primary') && roles.includes('sync standby')
      })
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
  await patroni.settled().catch((error: Error) => {
    const logs = globSync(join(directory.path, '*.log')).map((path) => readFileSync(path, 'utf8').slice(-2000))
    throw new Error(`${error.message}\n${logs.join('\n')}`)
  })
  const kept = started.move()
  return patroni
}

type Run = (name: string, command: string[], options?: { uid?: number; gid?: number }) => ChildProcess

async function startEtcd(directory: string, run: Run): Promise<string> {
  const [client, peer] = await Promise.all([freePort(), freePort()])
  const [clientUrl, peerUrl] = [`http://127.0.0.1:${client}`, `http://127.0.0.1:${peer}`]
  run('etcd', [
    'etcd',
    ...['--data-dir', join(directory, 'etcd'), '--initial-cluster', `default=${peerUrl}`],
    ...['--listen-client-urls', clientUrl, '--advertise-client-urls', clientUrl],
    ...['--listen-peer-urls', peerUrl, '--initial-advertise-peer-urls', peerUrl],
  ])
  await until('etcd answers', () =>
    fetch(`${clientUrl}/health`).then(
      (answer) => answer.ok,
      () => false,
    ),
  )
  return `127.0.0.1:${client}`
}

interface Node {
  name: string
  config: string
  data: string
  port: number
  rest: string
  child?: ChildProcess
}

async function makeNode(name: string, { directory, etcd }: { directory: string; etcd: string }): Promise<Node> {
  const [port, restPort] = await Promise.all([freePort(), freePort()])
  const rest = `127.0.0.1:${restPort}`
  const data = join(directory, `data-${name}`)
  const config = join(directory, `${name}.yml`)
  const access = { username: 'postgres', password: 'not-asked-for' }
  const whole = {
    scope: 'bale',
    name,
    restapi: { listen: rest, connect_address: rest },
    etcd3: { host: etcd },
    bootstrap: {
      // The shortest that Patroni takes.
      dcs: { ttl: 20, loop_wait: 2, retry_timeout: 8, synchronous_mode: true, postgresql: { use_pg_rewind: true } },
      initdb: [{ encoding: 'UTF8' }, { locale: 'C' }, 'no-sync', { auth: 'trust' }],
      pg_hba: ['host all all 127.0.0.1/32 trust', 'host replication all 127.0.0.1/32 trust'],
    },
    postgresql: {
      listen: `127.0.0.1:${port}`,
      connect_address: `127.0.0.1:${port}`,
      data_dir: data,
      bin_dir: LIBRARY,
      authentication: { superuser: access, replication: access, rewind: access },
      parameters: { shared_buffers: '32MB', max_connections: 60, unix_socket_directories: '' },
    },
  }
  // JSON is YAML.
  writeFileSync(config, JSON.stringify(whole))
  return { name, config, data, port, rest }
}

/** As its Patroni says it. */
async function roleOf({ rest }: Node): Promise<'primary' | 'sync standby' | 'other'> {
  const says = async (path: string) =>
    await fetch(`http://${rest}${path}`).then(
      (answer) => answer.status === 200,
      () => false,
    )
  if (await says('/primary')) return 'primary'
  return (await says('/synchronous')) ? 'sync standby' : 'other'
}

async function userPostgres(): Promise<{ uid: number; gid: number }> {
  const [uid, gid] = await Promise.all(
    ['-u', '-g'].map(async (flag) => Number((await execute('/usr/bin/id', [flag, 'postgres'])).stdout)),
  )
  return { uid: uid!, gid: gid! }
}

/** Patroni stops its PostgreSQL when it is asked to end; a killed one would leave it. */
async function ended(child: ChildProcess): Promise<void> {
  const over = once(child, 'exit')
  child.kill('SIGTERM')
  await over
}
