/**
 * A registry under load, beside Debian's docker-registry in one run: `npm run bench:registry [-- --rounds 3] [-- --seconds 4]`.
 * The peer is served without a login, which is the fastest that it can be; bale without one, with Basic and with Bearer. Answers
 * count only when they are 2xx. Server and load share the processors of this machine.
 */
import { spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { readTextSync } from '#host/file'
import { execute } from '../test/kit/bale.ts'
import { startPeerRegistry } from './peer-registry.ts'
import { median } from './timed.ts'

const { values: flags } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '4' },
    only: { type: 'string' },
  },
})
const [rounds, seconds] = [Number(flags.rounds), Number(flags.seconds)]
const MEBIBYTE = 1024 * 1024
const PASSWORD = 'password-of-root'
const MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json'

/** One way to reach one of the servers. */
interface Target {
  name: string
  host: string
  headers: Record<string, string>
}

const digestOf = (bytes: Uint8Array) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`

const agent = new Agent({ keepAlive: true, maxSockets: 64 })
const directory = mkdtempSync('/var/tmp/bale-bench-')
const results = new Map<string, Map<string, number[]>>()
try {
  await using peer = await startPeerRegistry(directory)
  await using open = await startBale(join(directory, 'open'), ['--anonymous-pull'])
  const host = open.host
  const basic = `Basic ${Buffer.from(`root:${PASSWORD}`).toString('base64')}`
  const dockerRegistry: Target = { name: 'docker-registry', host: peer.host, headers: {} }
  const withBasic: Target = { name: 'bale, Basic', host, headers: { authorization: basic } }
  const targets = [
    dockerRegistry,
    { name: 'bale, no login', host, headers: {} },
    withBasic,
    { name: 'bale, Bearer', host, headers: { authorization: `Bearer ${await tokenOf(host, basic)}` } },
  ]
  const writers = [dockerRegistry, withBasic]
  const content = randomBytes(10 * MEBIBYTE)
  const config = Buffer.from('{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}')
  for (const target of writers) await pushImage(target, 'bench/image', config, content)
  const blob = `/v2/bench/image/blobs/${digestOf(content)}`
  for (let round = 0; round < rounds; round++) {
    for (const target of targets) {
      await wrk('manifest GET by tag', target, '/v2/bench/image/manifests/latest', 16)
      await wrk('blob GET of 10 MB', target, blob, 8)
    }
    // By a client in this process, which is slower than wrk: that knows no HEAD.
    for (const target of targets) {
      await rate('blob HEAD', target, 16, async () => void (await send(target, 'HEAD', blob)))
    }
    for (const target of writers) {
      await rate('pushes of a blob of 10 MB', target, 4, async (number) => {
        await pushBlob(target, `bench/push${number % 8}`, stamped(content, number, round))
      })
      await rate('images of two small blobs', target, 16, async (number) => {
        const small = stamped(randomBytes(20_000), number, round)
        await pushImage(target, `bench/storm${number % 8}`, stamped(config, number, round), small)
      })
    }
  }
  console.log(table())
  if (!flags.only || 'start'.includes(flags.only)) console.log(await startAndIdle(join(directory, 'idle')))
} finally {
  agent.destroy()
  rmSync(directory, { recursive: true, force: true })
}

function add(what: string, target: Target, value: number): void {
  const row = results.get(what) ?? new Map<string, number[]>()
  results.set(what, row)
  row.set(target.name, [...(row.get(target.name) ?? []), value])
}

async function wrk(what: string, { name, host, headers }: Target, path: string, clients: number) {
  if (flags.only && !what.includes(flags.only)) return
  const options = ['-t1', `-c${clients}`, `-d${seconds}s`, '--latency']
  const all = Object.entries({ accept: MANIFEST_TYPE, ...headers }).flatMap(([key, value]) => [
    '-H',
    `${key}: ${value}`,
  ])
  const outcome = await execute('/usr/bin/wrk', [...options, ...all, `http://${host}${path}`], { timeout: 60_000 })
  const figure = (pattern: RegExp) => pattern.exec(outcome.stdout)?.[1]
  if (outcome.code !== 0 || /Non-2xx|Socket errors/.test(outcome.stdout)) throw new Error(`${name}: ${outcome.stdout}`)
  add(what, { name, host, headers }, Number(figure(/Requests\/sec:\s+([\d.]+)/)))
  if (clients === 16) add(`${what}, p99 in ms`, { name, host, headers }, milliseconds(figure(/99%\s+(\S+)/)!))
}

function milliseconds(text: string): number {
  const [, number, unit] = /^([\d.]+)(us|ms|s)$/.exec(text)!
  return Number(number) * { us: 0.001, ms: 1, s: 1000 }[unit as 'us' | 'ms' | 's']
}

/** How often a second the work is done by so many clients. */
async function rate(
  what: string,
  target: Target,
  clients: number,
  work: (number: number) => Promise<void>,
): Promise<void> {
  if (flags.only && !what.includes(flags.only)) return
  const began = performance.now()
  let done = 0
  let next = 0
  const client = async () => {
    while (performance.now() - began < seconds * 1000) {
      await work(next++)
      done++
    }
  }
  await Promise.all(Array.from({ length: clients }, client))
  add(what, target, (done * 1000) / (performance.now() - began))
}

/** The same bytes but for some at the start, so that every blob is another one. */
function stamped(bytes: Buffer, number: number, round: number): Buffer {
  const copy = Buffer.from(bytes)
  copy.write(`${' '.repeat(8)}${round}.${number}`.slice(-8), copy.length - 8)
  return copy
}

async function send(target: Target, method: string, path: string, body?: Uint8Array, type?: string) {
  const url = new URL(path, `http://${target.host}`)
  const headers = { ...target.headers, 'content-length': body?.byteLength ?? 0, ...(type && { 'content-type': type }) }
  const sent = request(url, { method, agent, headers })
  sent.end(body)
  const [answer] = (await once(sent, 'response')) as [import('node:http').IncomingMessage]
  answer.resume()
  await once(answer, 'end')
  const { statusCode = 0, headers: got } = answer
  if (statusCode >= 300 && !(method === 'HEAD' && statusCode === 404)) {
    throw new Error(`${target.name}: ${method} ${path}: ${statusCode}`)
  }
  return got
}

/** HEAD, POST and PUT, as clients do. */
async function pushBlob(target: Target, repository: string, bytes: Uint8Array): Promise<void> {
  const digest = digestOf(bytes)
  await send(target, 'HEAD', `/v2/${repository}/blobs/${digest}`)
  const { location } = await send(target, 'POST', `/v2/${repository}/blobs/uploads/`)
  const url = new URL(String(location), `http://${target.host}`)
  url.searchParams.set('digest', digest)
  await send(target, 'PUT', url.href, bytes, 'application/octet-stream')
}

async function pushImage(target: Target, repository: string, config: Buffer, layer: Buffer): Promise<void> {
  await pushBlob(target, repository, config)
  await pushBlob(target, repository, layer)
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: MANIFEST_TYPE,
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: digestOf(config), size: config.length },
    layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: digestOf(layer), size: layer.length }],
  })
  await send(target, 'PUT', `/v2/${repository}/manifests/latest`, Buffer.from(manifest), MANIFEST_TYPE)
}

interface Started extends AsyncDisposable {
  host: string
  /** Of its memory, in megabytes. */
  resident(): number
}

/** A registry with the user `root`, whom it adds unless the directory has it. */
async function startBale(root: string, more: string[], { adds = true } = {}): Promise<Started> {
  const program = resolve(import.meta.dirname, '../bin/bale')
  if (adds) await addRoot(program, root)
  const child = spawn(program, ['registry', 'serve', '--root', root, '--listen', '127.0.0.1:0', ...more], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, BALE_ROOT: join(directory, 'store') },
  })
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  child.stdout.resume()
  const megabytes = (what: string) => {
    const status = readTextSync(`/proc/${child.pid}/status`)
    return Number(new RegExp(`${what}:\\s+(\\d+)`).exec(status)![1]) / 1024
  }
  return {
    host: /\/\/(\S+)/.exec(line.toString())![1]!,
    resident: () => megabytes('VmRSS'),
    async [Symbol.asyncDispose]() {
      if (adds) console.log(`peak memory of bale: ${Math.round(megabytes('VmHWM'))} MB`)
      child.kill('SIGTERM')
      await once(child, 'exit')
    },
  }
}

async function addRoot(program: string, root: string): Promise<void> {
  const input = join(directory, 'password')
  writeFileSync(input, PASSWORD)
  const added = await execute(
    '/bin/sh',
    ['-c', `'${program}' registry user add --root '${root}' --admin --password-stdin root < '${input}'`],
    { env: { BALE_ROOT: join(directory, 'store'), PATH: process.env['PATH']! } },
  )
  if (added.code !== 0) throw new Error(added.stderr)
}

/** How long `bale registry serve` takes until it says so, on a registry that is there, and its memory some seconds later. */
async function startAndIdle(root: string): Promise<string> {
  const [starts, sizes]: [number[], number[]] = [[], []]
  for (let turn = 0; turn <= 5; turn++) {
    const began = performance.now()
    await using served = await startBale(root, ['--anonymous-pull'], { adds: turn === 0 })
    starts.push(performance.now() - began)
    await fetch(`http://${served.host}/v2/`)
    await sleep(3000)
    sizes.push(served.resident())
  }
  // The first one makes the database, and a user by another process.
  const [start, size] = [median(starts.slice(1)), median(sizes.slice(1))]
  return `\nstart of bale registry serve: ${start.toFixed(0)} ms; idle: ${size.toFixed(0)} MB`
}

async function tokenOf(host: string, authorization: string): Promise<string> {
  const url = `http://${host}/token?service=bale-registry&scope=repository:bench/image:pull`
  const answer = await fetch(url, { headers: { authorization } })
  return ((await answer.json()) as { token: string }).token
}

/** Medians, and their ratio to docker-registry's. */
function table(): string {
  const names = ['docker-registry', 'bale, no login', 'bale, Basic', 'bale, Bearer']
  const lines = [`| | ${names.join(' | ')} |`, `|---|${names.map(() => '---').join('|')}|`]
  for (const [what, row] of results) {
    const peer = median(row.get('docker-registry') ?? [Number.NaN])
    const cells = names.map((name) => {
      const values = row.get(name)
      if (!values) return ''
      const value = median(values)
      const shown = value >= 100 ? value.toFixed(0) : value.toFixed(1)
      return name === 'docker-registry' ? shown : `${shown} (${(value / peer).toFixed(2)})`
    })
    lines.push(`| ${what} | ${cells.join(' | ')} |`)
  }
  return lines.join('\n')
}
