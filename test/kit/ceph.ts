import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { S3mini } from 's3mini'
import { freePort } from './free-port.ts'
import { temporaryDirectory } from './temporary.ts'

/** A real S3 server: Ceph's gateway, on one monitor and one storage daemon. */
export interface Ceph extends AsyncDisposable {
  /** `http://127.0.0.1:PORT` */
  readonly endpoint: string
  readonly region: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** Below it, the gateway finds a bucket by the name of the host. */
  readonly dnsName: string
  /** A new, empty bucket; its name. */
  makeBucket(): Promise<string>
  readonly gateway: CephDaemon
  /** It recovers in minutes, and meanwhile requests wait. */
  readonly storage: CephDaemon
}

export interface CephDaemon {
  /** SIGKILL; fulfilled when it has ended. */
  kill(): Promise<void>
  /** Fulfilled when it answers. */
  start(): Promise<void>
}

const PROGRAMS = ['ceph-mon', 'ceph-osd', 'radosgw', 'radosgw-admin', 'ceph', 'ceph-authtool', 'monmaptool']

/** Why Ceph cannot run here, for `skip`; false when it can. */
export function withoutCeph(): string | false {
  const missing = PROGRAMS.filter((program) => !existsSync(`/usr/bin/${program}`))
  if (missing.length > 0) {
    return `${missing.join(', ')} not installed (apt-get install ceph-mon ceph-osd radosgw ceph-common)`
  }
  return process.getuid?.() === 0 ? false : 'the daemons of Ceph are started by root only'
}

const START_LIMIT = 60_000
const DNS_NAME = 's3.bale.test'
const ACCESS = { region: 'us-east-1', accessKeyId: 'baletest', secretAccessKey: 'baletestsecret' }

/** Ceph on free loopback ports, in a directory that goes with it. It takes some ten seconds, and never more than a minute. */
export async function startCeph(): Promise<Ceph> {
  const directory = await temporaryDirectory('bale-ceph')
  const cluster = new Cluster(directory.path, await Promise.all([freePort(), freePort(), freePort()]))
  const end = async () => {
    await cluster.end()
    await directory[Symbol.asyncDispose]()
  }
  try {
    await cluster.begin(AbortSignal.timeout(START_LIMIT))
  } catch (error) {
    const log = cluster.lastWords()
    await end()
    throw new Error(`Ceph does not start:\n${log}`, { cause: error })
  }
  const { endpoint, gateway, storage } = cluster
  return {
    ...ACCESS,
    endpoint,
    dnsName: DNS_NAME,
    gateway,
    storage,
    async makeBucket() {
      const name = `bale-${randomBytes(6).toString('hex')}`
      // s3mini's own createBucket names a place, which Ceph does not know.
      await new S3mini({ ...ACCESS, endpoint: `${endpoint}/${name}` }).putObject('', '')
      return name
    },
    [Symbol.asyncDispose]: end,
  }
}

/** The daemons run in the foreground and are killed with this process, however it ends. */
class Cluster {
  readonly endpoint: string
  readonly gateway: CephDaemon
  readonly storage: CephDaemon
  readonly #directory: string
  readonly #monitors: string
  readonly #environment: NodeJS.ProcessEnv
  readonly #children = new Set<ChildProcess>()

  constructor(directory: string, [one, two, http]: readonly [number, number, number]) {
    this.#directory = directory
    this.endpoint = `http://127.0.0.1:${http}`
    this.#monitors = `[v2:127.0.0.1:${one},v1:127.0.0.1:${two}]`
    this.#environment = { PATH: process.env['PATH'], CEPH_CONF: `${directory}/ceph.conf` }
    const gateway = ['-n', 'client.rgw', '--no-mon-config', '--rgw-init-timeout', '60']
    this.gateway = this.#daemon('radosgw', gateway, () => this.#answers())
    this.storage = this.#daemon('ceph-osd', ['-i', '0'], () => this.#isUp())
    for (const name of ['mon', 'osd', 'run']) mkdirSync(`${directory}/${name}`)
  }

  async begin(signal: AbortSignal): Promise<void> {
    const directory = this.#directory
    const fsid = randomUUID()
    // The monitor ignores a storage daemon that was made with another uuid than it was announced with.
    const uuid = randomUUID()
    writeFileSync(
      `${directory}/ceph.conf`,
      configuration(directory, { fsid, monitors: this.#monitors, http: this.endpoint }),
    )
    const run = (program: string, ...args: string[]) => this.#run(program, args, signal)
    await this.#makeKeys(run)
    const map = ['--create', '--clobber', '--fsid', fsid, '--addv', 'a', this.#monitors, `${directory}/monmap`]
    await run('monmaptool', ...map)
    await run('ceph-mon', '-i', 'a', '--mkfs', '--monmap', `${directory}/monmap`, '--keyring', `${directory}/keyring`)
    this.#spawn('ceph-mon', ['-i', 'a'])
    await run('ceph', 'osd', 'new', uuid)
    await run('ceph-osd', '-i', '0', '--mkfs', '--osd-uuid', uuid)
    await this.storage.start()
    await this.gateway.start()
    signal.throwIfAborted()
    const keys = [`--access-key=${ACCESS.accessKeyId}`, `--secret-key=${ACCESS.secretAccessKey}`]
    await run('radosgw-admin', 'user', 'create', '--uid=bale', '--display-name=bale', ...keys)
  }

  async end(): Promise<void> {
    await Promise.all([...this.#children].map((child) => killed(child)))
  }

  /** The ends of all logs. */
  lastWords(): string {
    const logs = globSync(`${this.#directory}/*.log`)
    return logs.map((path) => `${path}:\n${readFileSync(path, 'utf8').slice(-2000)}`).join('\n')
  }

  async #makeKeys(run: (program: string, ...args: string[]) => Promise<string>): Promise<void> {
    const keyring = `${this.#directory}/keyring`
    const all = (...rooms: string[]) => rooms.flatMap((room) => ['--cap', room, 'allow *'])
    await run('ceph-authtool', '-C', keyring, '-n', 'mon.', '--gen-key', ...all('mon'))
    for (const name of ['client.admin', 'client.rgw']) {
      await run('ceph-authtool', keyring, '-n', name, '--gen-key', ...all('mon', 'osd', 'mgr'))
    }
    const profile = ['--cap', 'mon', 'allow profile osd', ...all('osd')]
    await run('ceph-authtool', keyring, '-n', 'osd.0', '--gen-key', ...profile)
  }

  #daemon(program: string, args: string[], isUp: () => Promise<boolean>): CephDaemon {
    let child: ChildProcess | undefined
    return {
      kill: async () => {
        if (child) await killed(child)
      },
      start: async () => {
        child = this.#spawn(program, args)
        const limit = AbortSignal.timeout(START_LIMIT)
        while (!(await isUp())) {
          if (child.exitCode !== null || limit.aborted) throw new Error(`${program} does not answer`)
          await sleep(100)
        }
      },
    }
  }

  #spawn(program: string, args: string[]): ChildProcess {
    const foreground = ['--pdeathsig', 'KILL', program, ...args, '-f']
    const child = spawn('setpriv', foreground, { env: this.#environment, stdio: 'ignore' })
    this.#children.add(child)
    child.once('exit', () => this.#children.delete(child))
    return child
  }

  async #run(program: string, args: string[], signal?: AbortSignal): Promise<string> {
    const { stdout } = await promisify(execFile)(program, args, {
      env: this.#environment,
      signal,
      timeout: START_LIMIT,
    })
    return stdout
  }

  async #isUp(): Promise<boolean> {
    return /\b1 up\b/.test(await this.#run('ceph', ['osd', 'stat']))
  }

  #answers(): Promise<boolean> {
    return fetch(this.endpoint).then(
      (answer) => answer.ok,
      () => false,
    )
  }
}

async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
}

/**
 * With cephx: without any authentication, the gateway waits for five minutes. Without a cache in the gateway: after it was
 * killed, the next bucket would wait half a minute for the dead one's consent. Map changes need not wait for a second.
 */
function configuration(
  directory: string,
  { fsid, monitors, http }: Record<'fsid' | 'monitors' | 'http', string>,
): string {
  return `[global]
fsid = ${fsid}
mon host = ${monitors}
mon initial members = a
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
keyring = ${directory}/keyring
public addr = 127.0.0.1
cluster addr = 127.0.0.1
ms bind ipv6 = false
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 8
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
mon warn on pool no redundancy = false
mon max pg per osd = 1000
mon data avail warn = 2
mon data avail crit = 1
paxos propose interval = 0.05
paxos min wait = 0.01
osd heartbeat interval = 1
osd objectstore = bluestore
osd memory target = 939524096
bluestore block size = 10737418240
mon data = ${directory}/mon
osd data = ${directory}/osd
run dir = ${directory}/run
log file = ${directory}/$name.log
admin socket = ${directory}/run/$name.asok
pid file = ${directory}/run/$name.pid
crash dir = ${directory}/run
rgw data = ${directory}/run
rgw frontends = beast endpoint=${new URL(http).host}
rgw enable ops log = false
rgw cache enabled = false
rgw dns name = ${DNS_NAME}
`
}
