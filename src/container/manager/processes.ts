import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { BaleError, errnoOf } from '#base'
import { type CgroupLayout, cgroupDirectories, cgroupLayout, cgroupProcesses, isVisible, runProgram } from '#host'
import { readTextSync } from '#host/file'
import { cgroupPath } from '../spec/index.ts'
import { announce, type Machinery, mustRun, type SeenContainer, seeContainer } from '../state/index.ts'

/** Processes as `ps` prints them: the titles of the columns, and a row of texts for each process. */
export interface ProcessTable {
  titles: string[]
  rows: string[][]
}

/** The host's `ps` (with the caller's options, `-ef` by default), only the lines of the container's processes. */
export async function containerProcesses(
  machinery: Machinery,
  idOrName: string,
  psOptions: readonly string[] = [],
): Promise<ProcessTable> {
  const { record } = mustRun(await seeContainer(machinery, idOrName))
  const pids = new Set(cgroupDirectories(cgroupPath(record.id)).flatMap((directory) => cgroupProcesses(directory)))
  const { programs } = machinery
  const args = psOptions.length ? [...psOptions] : ['-ef']
  const result = await runProgram(programs.need('ps'), args, { env: { PATH: programs.searchPath } })
  if (result.code !== 0) throw new BaleError('INVALID_ARGUMENT', `ps: ${result.stderr.trim()}`)
  const [header = '', ...lines] = result.stdout.split('\n').filter(Boolean)
  const titles = header.trim().split(/\s+/)
  const pidColumn = titles.indexOf('PID')
  if (pidColumn < 0) throw new BaleError('INVALID_ARGUMENT', "Couldn't find PID field in ps output")
  const rows = lines.map((line) => fields(line, titles.length)).filter((row) => pids.has(Number(row[pidColumn])))
  await announce(machinery, record, 'top')
  return { titles, rows }
}

/** The last column is a command line and may hold spaces. */
function fields(line: string, count: number): string[] {
  const words = line.trim().split(/\s+/)
  return [...words.slice(0, count - 1), words.slice(count - 1).join(' ')]
}

/** Current usage of a container: bytes, and nanoseconds of CPU since its start. */
export interface Usage {
  id: string
  name: string
  cpuNanoseconds: number
  /** The machine's at the same moment, to compute a share from two samples. */
  time: number
  memory: number
  memoryLimit: number
  pids: number
  networkReceived: number
  networkSent: number
  blockRead: number
  blockWritten: number
}

/** Reads the control groups and the network counters of a running container. */
export async function containerUsage(machinery: Machinery, idOrName: string): Promise<Usage> {
  const seen = await seeContainer(machinery, idOrName)
  const runs = seen.status === 'running' || seen.status === 'paused'
  return usageOf(runs ? seen : mustRun(seen), machinery.clock.now())
}

function usageOf({ record, state }: SeenContainer, time: number): Usage {
  const layout = cgroupLayout()
  const path = cgroupPath(record.id)
  const read = (controller: string, file: string) =>
    readIfThere(join(layout.controllers.get(controller) ?? layout.mounts[0] ?? '', path, file))
  const v1 = layout.version === 1
  const { process } = state
  // In another pid namespace the number is another process's.
  const network = process && isVisible(process) ? networkCounters(process.pid) : { networkReceived: 0, networkSent: 0 }
  return {
    id: record.id,
    name: record.name,
    time,
    cpuNanoseconds: v1
      ? Number(read('cpuacct', 'cpuacct.usage') ?? 0)
      : member(read('cpu', 'cpu.stat'), 'usage_usec') * 1000,
    ...memoryUse(read, v1),
    pids: Number(read('pids', 'pids.current') ?? cgroupPids(path, layout)),
    ...network,
    ...blockCounters(read, v1),
  }
}

type Read = (controller: string, file: string) => string | undefined

/** Without the page cache that could be dropped at once, as docker counts. */
function memoryUse(read: Read, v1: boolean): Pick<Usage, 'memory' | 'memoryLimit'> {
  const used = Number(read('memory', v1 ? 'memory.usage_in_bytes' : 'memory.current') ?? 0)
  const cache = member(read('memory', 'memory.stat'), v1 ? 'total_inactive_file' : 'inactive_file')
  const limit = Number(read('memory', v1 ? 'memory.limit_in_bytes' : 'memory.max') ?? Number.NaN)
  const total = Number(/^MemTotal:\s+(\d+)/m.exec(readTextSync('/proc/meminfo'))?.[1] ?? 0) * 1024
  return { memory: Math.max(used - cache, 0), memoryLimit: limit > 0 && limit < total ? limit : total }
}

function blockCounters(read: Read, v1: boolean): Pick<Usage, 'blockRead' | 'blockWritten'> {
  const text = v1 ? read('blkio', 'blkio.throttle.io_service_bytes') : read('io', 'io.stat')
  const sum = (pattern: RegExp) =>
    [...(text ?? '').matchAll(pattern)].reduce((total, [, value]) => total + Number(value), 0)
  return v1
    ? { blockRead: sum(/ Read (\d+)/g), blockWritten: sum(/ Write (\d+)/g) }
    : { blockRead: sum(/rbytes=(\d+)/g), blockWritten: sum(/wbytes=(\d+)/g) }
}

/** Source: proc(5), /proc/PID/net/dev. */
function networkCounters(pid: number): Pick<Usage, 'networkReceived' | 'networkSent'> {
  let networkReceived = 0
  let networkSent = 0
  for (const line of (readIfThere(`/proc/${pid}/net/dev`) ?? '').split('\n').slice(2)) {
    const [name, values = ''] = line.split(':')
    if (!name || name.trim() === 'lo') continue
    const numbers = values.trim().split(/\s+/).map(Number)
    networkReceived += numbers[0] ?? 0
    networkSent += numbers[8] ?? 0
  }
  return { networkReceived, networkSent }
}

function cgroupPids(path: string, layout: CgroupLayout): number {
  const [directory] = cgroupDirectories(path, layout)
  return directory && existsSync(directory) ? cgroupProcesses(directory).length : 0
}

function member(text: string | undefined, name: string): number {
  return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text ?? '')?.[1] ?? 0)
}

function readIfThere(path: string): string | undefined {
  try {
    return readTextSync(path)
  } catch (error) {
    if (['ENOENT', 'ENODEV', 'EINVAL', 'ESRCH'].includes(errnoOf(error) ?? '')) return undefined
    throw error
  }
}
