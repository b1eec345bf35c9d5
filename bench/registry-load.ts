/** A registry's load: clients of one server that count answers, and bale's own server to be measured. */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { Agent, type IncomingMessage, request } from 'node:http'
import { join, resolve } from 'node:path'
import { readTextSync } from '#host/file'
import { execute } from '../test/kit/bale.ts'
import { median } from './timed.ts'

/** One way to reach one of the servers. */
export interface Target {
  name: string
  host: string
  headers: Record<string, string>
}

export const MEBIBYTE = 1024 * 1024
export const MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json'
export const PROGRAM = resolve(import.meta.dirname, '../bin/bale')
const PASSWORD = 'password-of-root'
/** Of the user that `addRoot` adds. */
export const BASIC = `Basic ${Buffer.from(`root:${PASSWORD}`).toString('base64')}`

export const digestOf = (bytes: Uint8Array) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`

/** Its connections are kept: destroy it in the end. */
export const agent = new Agent({ keepAlive: true, maxSockets: 64 })

/** Answers a second of wrk, and the time in milliseconds below which 99 % of them were. Throws unless all are 2xx. */
export async function wrk(
  { name, host, headers }: Target,
  path: string,
  { clients, seconds }: { clients: number; seconds: number },
): Promise<{ rate: number; p99: number }> {
  const options = ['-t1', `-c${clients}`, `-d${seconds}s`, '--latency']
  const all = Object.entries({ accept: MANIFEST_TYPE, ...headers }).flatMap(([key, value]) => [
    '-H',
    `${key}: ${value}`,
  ])
  const outcome = await execute('/usr/bin/wrk', [...options, ...all, `http://${host}${path}`], { timeout: 60_000 })
  const figure = (pattern: RegExp) => pattern.exec(outcome.stdout)?.[1]
  if (outcome.code !== 0 || /Non-2xx|Socket errors/.test(outcome.stdout)) throw new Error(`${name}: ${outcome.stdout}`)
  return { rate: Number(figure(/Requests\/sec:\s+([\d.]+)/)), p99: milliseconds(figure(/^\s+99%\s+(\S+)/m)!) }
}

function milliseconds(text: string): number {
  const [, number, unit] = /^([\d.]+)(us|ms|s)$/.exec(text) ?? []
  if (number === undefined) throw new Error(`wrk says ${text}`)
  return Number(number) * { us: 0.001, ms: 1, s: 1000 }[unit as 'us' | 'ms' | 's']
}

export async function send(target: Target, method: string, path: string, body?: Uint8Array, type?: string) {
  const url = new URL(path, `http://${target.host}`)
  const headers = { ...target.headers, 'content-length': body?.byteLength ?? 0, ...(type && { 'content-type': type }) }
  const sent = request(url, { method, agent, headers })
  sent.end(body)
  const [answer] = (await once(sent, 'response')) as [IncomingMessage]
  answer.resume()
  await once(answer, 'end')
  const { statusCode = 0, headers: got } = answer
  if (statusCode >= 300 && !(method === 'HEAD' && statusCode === 404)) {
    throw new Error(`${target.name}: ${method} ${path}: ${statusCode}`)
  }
  return got
}

/** HEAD, POST and PUT, as clients do. */
export async function pushBlob(target: Target, repository: string, bytes: Uint8Array): Promise<void> {
  const digest = digestOf(bytes)
  await send(target, 'HEAD', `/v2/${repository}/blobs/${digest}`)
  const { location } = await send(target, 'POST', `/v2/${repository}/blobs/uploads/`)
  const url = new URL(String(location), `http://${target.host}`)
  url.searchParams.set('digest', digest)
  await send(target, 'PUT', url.href, bytes, 'application/octet-stream')
}

export async function pushImage(target: Target, repository: string, config: Buffer, layer: Buffer): Promise<void> {
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

export interface Started extends AsyncDisposable {
  host: string
  /** Its memory, in megabytes. */
  resident(): number
  /** The most that it was since the start or the last call. */
  peak(): number
}

/** A registry with the user `root`, whom it adds unless the directory has it. */
export async function startBale(
  directory: string,
  root: string,
  more: string[],
  { adds = true } = {},
): Promise<Started> {
  if (adds) await addRoot(directory, ['--root', root])
  const child = spawn(PROGRAM, ['registry', 'serve', '--root', root, '--listen', '127.0.0.1:0', ...more], {
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
    peak() {
      const most = megabytes('VmHWM')
      // proc(5): 5 sets the peak to what it is.
      writeFileSync(`/proc/${child.pid}/clear_refs`, '5')
      return most
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM')
      await once(child, 'exit')
    },
  }
}

/** Adds the administrator `root` to the registry that these options of `bale registry user` say. */
export async function addRoot(directory: string, where: string[]): Promise<void> {
  const added = await execute(PROGRAM, ['registry', 'user', 'add', ...where, '--admin', '--password-stdin', 'root'], {
    input: PASSWORD,
    env: { BALE_ROOT: join(directory, 'store'), PATH: process.env['PATH']! },
  })
  if (added.code !== 0) throw new Error(added.stderr)
}

/** A token of `root` that may pull `bench/image`. */
export async function tokenOf(host: string): Promise<string> {
  const url = `http://${host}/token?service=bale-registry&scope=repository:bench/image:pull`
  const answer = await fetch(url, { headers: { authorization: BASIC } })
  return ((await answer.json()) as { token: string }).token
}

/** What was measured, in rounds, by kind of work and by server. */
export interface Results {
  add(what: string, server: string, value: number): void
  /** Medians in a table of Markdown, with their ratio to the first server's. */
  table(servers: readonly string[]): string
}

export function createResults(): Results {
  const rows = new Map<string, Map<string, number[]>>()
  return {
    add(what, server, value) {
      const row = rows.get(what) ?? new Map<string, number[]>()
      rows.set(what, row)
      row.set(server, [...(row.get(server) ?? []), value])
    },
    table(servers) {
      const lines = [`| | ${servers.join(' | ')} |`, `|---|${servers.map(() => '---').join('|')}|`]
      for (const [what, row] of rows) {
        const peer = median(row.get(servers[0]!) ?? [Number.NaN])
        const cells = servers.map((server) => {
          const values = row.get(server)
          if (!values) return ''
          const value = median(values)
          const shown = value >= 100 ? value.toFixed(0) : value.toFixed(1)
          return server === servers[0] ? shown : `${shown} (${(value / peer).toFixed(2)})`
        })
        lines.push(`| ${what} | ${cells.join(' | ')} |`)
      }
      return lines.join('\n')
    },
  }
}
