import { mkdir, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { BaleError, errnoOf, printable } from '#base'
import { isAlive, type ProcessIdentity } from '#host'
import { readText, writeFileAtomic } from '#host/file'
import type { Machinery } from '../state/index.ts'

/** An additional process of a container, as requested. Stored below the run directory: none outlives a boot. */
export interface ExecRecord {
  /** 64 hexadecimal digits. */
  id: string
  containerId: string
  /** With the container's own values as defaults. */
  process: { args: string[]; env: string[]; workingDir: string; user: string; tty: boolean; privileged: boolean }
  stdin: boolean
  detach: boolean
  /** Undefined until it has begun. */
  identity?: ProcessIdentity
  /** 128 + signal; undefined while it runs, and if its exit was not observed. */
  exitCode?: number
}

/** Such a process and its current state. `pid` is the machine's, 0 when it does not run. */
export interface SeenExec {
  record: ExecRecord
  running: boolean
  pid: number
  exitCode?: number
}

type Place = Pick<Machinery, 'store'>

const directoryOf = ({ store }: Place) => join(store.run, 'execs')

/** Its file is found by the container's ID and by its own. */
function pathOf(place: Place, { id, containerId }: Pick<ExecRecord, 'id' | 'containerId'>): string {
  return join(directoryOf(place), `${containerId.slice(0, 16)}-${id}.json`)
}

/** Where the exit code of one is left that nobody waits for. */
export function execExitPath(place: Place, record: Pick<ExecRecord, 'id' | 'containerId'>): string {
  return pathOf(place, record).replace(/json$/, 'exit')
}

export async function keepExec(place: Place, record: ExecRecord): Promise<void> {
  await mkdir(directoryOf(place), { recursive: true, mode: 0o700 })
  await writeFileAtomic(pathOf(place, record), JSON.stringify(record), { durable: false })
}

export async function forgetExec(place: Place, record: ExecRecord): Promise<void> {
  await rm(pathOf(place, record), { force: true })
  await rm(execExitPath(place, record), { force: true })
}

/** By its full ID. Throws EXEC_NOT_FOUND; one that ended is known for a while, and as long as its container exists. */
export async function findExec(place: Place, id: string): Promise<SeenExec> {
  const name = (await names(place)).find((one) => one.endsWith(`-${id}.json`))
  const seen = name === undefined ? undefined : await read(place, name)
  if (seen) return seen
  throw new BaleError('EXEC_NOT_FOUND', `No such exec instance: ${printable(id)}`)
}

/** IDs of those that run in a container. */
export async function runningExecs(place: Place, containerId: string): Promise<string[]> {
  const seen = await Promise.all((await namesIn(place, containerId)).map((name) => read(place, name)))
  return seen.flatMap((one) => (one?.running ? [one.record.id] : []))
}

/** Forgets those of a container that is removed. */
export async function forgetExecs(place: Place, containerId: string): Promise<void> {
  for (const name of await filesIn(place, containerId)) await rm(join(directoryOf(place), name), { force: true })
}

/** Forgets those of containers that no longer exist; `known` are the IDs of those that do. */
export async function sweepExecs(place: Place, known: Iterable<string>): Promise<void> {
  const beginnings = new Set([...known].map((id) => id.slice(0, 16)))
  for (const name of await listed(place))
    if (!beginnings.has(name.slice(0, 16))) await rm(join(directoryOf(place), name), { force: true })
}

/** As in docker, an ended exec can be inspected for some minutes. */
const KEPT_MILLISECONDS = 10 * 60_000

/** Forgets those of a container that ended long ago: a container that lives for years has many. */
export async function forgetOldExecs(place: Place, containerId: string, now: number): Promise<void> {
  for (const name of await namesIn(place, containerId)) {
    const path = join(directoryOf(place), name)
    const written = (await stat(path).catch(gone))?.mtimeMs ?? now
    if (now - written < KEPT_MILLISECONDS) continue
    const seen = await read(place, name)
    if (seen && !seen.running) await forgetExec(place, seen.record)
  }
}

async function read(place: Place, name: string): Promise<SeenExec | undefined> {
  const text = await readText(join(directoryOf(place), name)).catch(gone)
  if (text === undefined) return undefined
  const record = JSON.parse(text) as ExecRecord
  const left = record.exitCode === undefined ? await readText(execExitPath(place, record)).catch(gone) : undefined
  const exitCode = record.exitCode ?? (left === undefined ? undefined : Number.parseInt(left, 10))
  const running = exitCode === undefined && record.identity !== undefined && isAlive(record.identity)
  return { record, running, pid: running ? record.identity!.pid : 0, ...(exitCode !== undefined && { exitCode }) }
}

const names = async (place: Place) => (await listed(place)).filter((name) => name.endsWith('.json'))
const filesIn = async (place: Place, containerId: string) =>
  (await listed(place)).filter((name) => name.startsWith(`${containerId.slice(0, 16)}-`))
const namesIn = async (place: Place, containerId: string) =>
  (await filesIn(place, containerId)).filter((name) => name.endsWith('.json'))

async function listed(place: Place): Promise<string[]> {
  return (await readdir(directoryOf(place)).catch(gone)) ?? []
}

function gone(error: unknown): undefined {
  if (errnoOf(error) === 'ENOENT') return undefined
  throw error
}
