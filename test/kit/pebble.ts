/** An ACME authority of a test's own: Debian's pebble, which finds every name at 127.0.0.1. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from './free-port.ts'
import { selfSigned } from './self-signed.ts'
import { temporaryDirectory } from './temporary.ts'
import { until } from './until.ts'

export interface Pebble extends AsyncDisposable {
  /** URL of its directory. */
  directory: string
  /** Of whom the certificate of that is (PEM). */
  authorities: string
  /** Ports at which it asks for answers to challenges: 443 and 80 elsewhere. */
  tlsPort: number
  httpPort: number
  /** What it wrote. */
  output(): string
  /** SIGKILL; it forgets everything. */
  kill(): Promise<void>
  start(): Promise<void>
}

/** Why it cannot run on this machine, for `skip`; false when it can. */
export function withoutPebble(): string | false {
  return existsSync('/usr/bin/pebble') ? false : 'pebble is not installed (apt-get install pebble)'
}

interface PebbleOptions {
  /** Percent of the good nonces that it refuses. */
  refusedNonces?: number
  /** HMAC keys of its customers by key ID; others get no account. */
  customers?: Readonly<Record<string, string>>
}

export async function startPebble({ refusedNonces = 5, customers }: PebbleOptions = {}): Promise<Pebble> {
  await using opened = new AsyncDisposableStack()
  const place = opened.use(await temporaryDirectory('bale-pebble'))
  const own = selfSigned('localhost')
  const [listens, management, tlsPort, httpPort, dns, control] = await freePorts(6)
  const paths = { certificate: join(place.path, 'cert.pem'), privateKey: join(place.path, 'key.pem') }
  await writeFile(paths.certificate, own.cert)
  await writeFile(paths.privateKey, own.key)
  const addresses = { listenAddress: `127.0.0.1:${listens}`, managementListenAddress: `127.0.0.1:${management}` }
  await writeFile(
    join(place.path, 'config.json'),
    JSON.stringify({
      pebble: {
        ...{ ...addresses, ...paths, tlsPort, httpPort },
        externalAccountBindingRequired: customers !== undefined,
        externalAccountMACKeys: customers ?? {},
      },
    }),
  )
  const environment = {
    PEBBLE_VA_NOSLEEP: '1',
    PEBBLE_AUTHZREUSE: '0',
    PEBBLE_WFE_NONCEREJECT: String(refusedNonces),
  }
  const names = opened.use(
    start('pebble-challtestsrv', [
      ...['-dns01', `127.0.0.1:${dns}`, '-management', `127.0.0.1:${control}`],
      ...['-http01', '', '-https01', '', '-tlsalpn01', '', '-defaultIPv4', '127.0.0.1', '-defaultIPv6', ''],
    ]),
  )
  const config = ['-config', join(place.path, 'config.json'), '-dnsserver', `127.0.0.1:${dns}`, '-strict']
  let pebble: Program | undefined
  const kill = async () => {
    await pebble?.[Symbol.asyncDispose]()
  }
  opened.defer(kill)
  const begin = async () => {
    const program = start('pebble', config, environment)
    pebble = program
    await until('pebble listens', () => {
      for (const one of [names, program]) if (one.ended()) throw new Error(`pebble does not start: ${one.output()}`)
      return /ACME directory available/.test(program.output())
    })
  }
  await begin()
  const parts = opened.move()
  return {
    directory: `https://localhost:${listens}/dir`,
    authorities: own.cert,
    tlsPort: tlsPort!,
    httpPort: httpPort!,
    output: () => pebble?.output() ?? '',
    kill,
    start: begin,
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  }
}

async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>()
  while (ports.size < count) ports.add(await freePort())
  return [...ports]
}

interface Program extends AsyncDisposable {
  output(): string
  ended(): boolean
}

function start(program: string, args: readonly string[], environment: Record<string, string> = {}): Program {
  const child: ChildProcess = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...environment },
  })
  let output = ''
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  const ended = () => child.exitCode !== null || child.signalCode !== null
  return {
    output: () => output,
    ended,
    async [Symbol.asyncDispose]() {
      if (ended()) return
      child.kill('SIGKILL')
      await once(child, 'exit')
    },
  }
}
