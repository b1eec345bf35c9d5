/** Replicas of a scaled-out registry as an operator runs them: processes of `bale registry serve --config`. */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import pg from 'pg'
import { S3mini } from 's3mini'
import type { Ceph } from './ceph.ts'
import { freePort } from './free-port.ts'
import type { Postgres } from './postgres.ts'
import { temporaryDirectory } from './temporary.ts'
import { until } from './until.ts'

export interface Replica {
  /** `127.0.0.1:PORT`, the same after each start. */
  readonly address: string
  /** Path of its configuration file. */
  readonly config: string
  /** Fulfilled when it is ready for requests. Does nothing while it runs. */
  start(): Promise<void>
  /** SIGKILL; fulfilled when it has ended. */
  kill(): Promise<void>
  /** SIGTERM; its exit code. */
  stop(): Promise<number | null>
  /** What it wrote, of all its starts. */
  output(): string
}

/** An empty database and bucket, and replicas on them. Disposing it kills them. */
export interface Replicas extends AsyncDisposable {
  /** A replica that is not started yet. `endpoint` stands between it and the store, `more` in its configuration. */
  replica(options?: { endpoint?: string; more?: object }): Promise<Replica>
  /**
   * Lets the time go by that a dead process has its locks and turns for. They are counted by the database, so the test need
   * not wait for them.
   */
  pass(milliseconds: number): Promise<void>
  /** Keys of all objects in the bucket, and of uploads that are not complete. */
  inBucket(): Promise<{ objects: string[]; uploads: string[] }>
}

export async function replicasOn({
  postgres,
  ceph,
}: {
  postgres: Pick<Postgres, 'database'>
  ceph: Ceph
}): Promise<Replicas> {
  const directory = await temporaryDirectory('bale-replicas')
  const url = await postgres.database()
  const bucket = await ceph.makeBucket()
  const { endpoint, region, accessKeyId, secretAccessKey } = ceph
  const secrets = { id: accessKeyId, key: secretAccessKey, secret: randomBytes(32).toString('hex') }
  for (const [name, text] of Object.entries(secrets)) {
    writeFileSync(join(directory.path, name), `${text}\n`, { mode: 0o600 })
  }
  const children = new Set<ChildProcess>()
  const s3 = new S3mini({ endpoint: `${endpoint}/${bucket}`, region, accessKeyId, secretAccessKey })
  return {
    async replica({ endpoint: own = endpoint, more = {} } = {}) {
      const port = await freePort()
      const config = join(directory.path, `registry-${port}.yaml`)
      const keys = { 'access-key-file': 'id', 'secret-key-file': 'key', 'part-size': '5MiB' }
      const whole = {
        listen: { address: `127.0.0.1:${port}`, 'trusted-proxies': ['127.0.0.1'] },
        metadata: { postgres: { url } },
        objects: { s3: { endpoint: own, region, bucket, ...keys } },
        'secret-file': 'secret',
        ...more,
      }
      writeFileSync(config, JSON.stringify(whole))
      return createReplica({ address: `127.0.0.1:${port}`, config, children })
    },
    async pass(milliseconds) {
      const client = new pg.Client({ connectionString: url })
      await client.connect()
      await client.query('UPDATE uploads SET lock_until = lock_until - $1', [milliseconds])
      await client.query('UPDATE turns SET turn_until = turn_until - $1', [milliseconds])
      await client.end()
    },
    async inBucket() {
      const objects = (await s3.listObjects('/', '')) ?? []
      const listed = JSON.stringify(await s3.listMultipartUploads('/', '', 'GET', {}))
      return {
        objects: objects.map(({ Key }) => Key),
        uploads: [...listed.matchAll(/"Key":"([^"]+)"/g)].map(([, key]) => key!),
      }
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...children].map((child) => ended(child, 'SIGKILL')))
      await directory[Symbol.asyncDispose]()
    },
  }
}

/** A directory of configuration files, and processes that serve what they say. Disposing it kills them. */
export interface ServedFiles extends AsyncDisposable {
  readonly directory: string
  /** A process that is not started yet; `secret` lies beside its configuration file, which has relative paths. */
  replica(configuration: object): Promise<Replica>
}

export async function servedFiles(): Promise<ServedFiles> {
  const directory = await temporaryDirectory('bale-served')
  const children = new Set<ChildProcess>()
  writeFileSync(join(directory.path, 'secret'), randomBytes(32).toString('hex'), { mode: 0o600 })
  return {
    directory: directory.path,
    async replica(configuration) {
      const address = `127.0.0.1:${await freePort()}`
      const config = join(directory.path, `${address.replace(/.*:/, '')}.yaml`)
      writeFileSync(config, JSON.stringify({ listen: { address }, ...configuration }))
      return createReplica({ address, config, children })
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...children].map((child) => ended(child, 'SIGKILL')))
      await directory[Symbol.asyncDispose]()
    },
  }
}

const PROGRAM = resolve(import.meta.dirname, '../../bin/bale')

/** A replica that is started by a configuration file which is there. `children` are those to be killed in the end. */
function createReplica({
  address,
  config,
  children,
}: Pick<Replica, 'address' | 'config'> & { children: Set<ChildProcess> }): Replica {
  let child: ChildProcess | undefined
  let output = ''
  const end = async (signal: 'SIGKILL' | 'SIGTERM') => (child ? await ended(child, signal) : null)
  return {
    address,
    config,
    async start() {
      if (child && children.has(child)) return
      const started = spawn('setpriv', ['--pdeathsig', 'KILL', PROGRAM, 'registry', 'serve', '--config', config])
      child = started
      children.add(started)
      started.once('exit', () => children.delete(started))
      for (const stream of [started.stdout, started.stderr]) {
        stream.on('data', (chunk: Buffer) => {
          output += chunk.toString()
        })
      }
      await until(`the replica at ${address} is ready`, async () => {
        if (started.exitCode !== null) throw new Error(`the replica ended: ${output}`)
        return await fetch(`http://${address}/readyz`).then(
          (answer) => answer.ok,
          () => false,
        )
      })
    },
    async kill() {
      await end('SIGKILL')
    },
    stop: () => end('SIGTERM'),
    output: () => output,
  }
}

async function ended(child: ChildProcess, signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) {
    const over = once(child, 'exit')
    child.kill(signal)
    await over
  }
  return child.exitCode
}
