import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { BaleError, errnoOf, printable } from '#base'
import { type CgroupLayout, cgroupLayout } from '#host'
import { readTextSync } from '#host/file'
import type { Resources } from '../model/index.ts'

/** CPUs and memory nodes that are online, as the kernel lists them: `0-3,8`. */
interface Processors {
  cpus: string
  memoryNodes: string
}

/** Of the machine, whatever the caller itself is confined to. Source: kernel admin-guide/cputopology. */
function onlineProcessors(): Processors {
  return {
    cpus: readList('/sys/devices/system/cpu/online'),
    // A kernel without NUMA has one node and no file.
    memoryNodes: readList('/sys/devices/system/node/online'),
  }
}

function readList(path: string): string {
  try {
    return readTextSync(path).trim()
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return '0'
    throw error
  }
}

const MINIMUM_MEMORY = 6 * 1024 * 1024

/**
 * Refuses impossible limits with docker's messages, before anything is created; returns warnings. With
 * `update` a limit may build on one that the container has. Source: moby, verifyPlatformContainerResources.
 */
export function checkResources(
  asked: Resources,
  here: Processors = onlineProcessors(),
  { update = false }: { update?: boolean } = {},
): string[] {
  checkMemory(asked, update)
  checkCpu(asked, listMembers(here.cpus)?.size ?? 1)
  checkList('cpus', 'CPUs', asked.cpusetCpus, here.cpus)
  checkList('mems', 'memory nodes', asked.cpusetMems, here.memoryNodes)
  const { blkioWeight } = asked
  if (blkioWeight && (blkioWeight < 10 || blkioWeight > 1000)) throw refused('Range of blkio weight is from 10 to 1000')
  return doubts(asked)
}

function doubts({ oomKillDisable, memory }: Resources): string[] {
  if (!oomKillDisable || memory) return []
  const risk = 'this can result in the system running out of resources'
  return [`OOM killer is disabled for the container, but no memory limit is set, ${risk}.`]
}

/**
 * Drops limits that this machine's control groups do not support, as docker does, with a warning: a limit that the runtime would
 * pass over in silence, or fail on. Source: kernel cgroup-v1/blkio-controller, cgroup-v2.
 */
export function possibleResources(
  asked: Resources,
  layout: Pick<CgroupLayout, 'version' | 'controllers'> = cgroupLayout(),
): { resources: Resources; warnings: string[] } {
  const lacks: [keyof Resources, boolean, string][] = [
    ['oomKillDisable', layout.version === 2, 'OomKillDisable. OomKillDisable discarded.'],
    ['memorySwappiness', layout.version === 2, 'memory swappiness capabilities. Memory swappiness discarded.'],
    ['blkioWeight', layout.version === 1 && !hasWeights(layout), 'Block I/O weight. Weight discarded.'],
  ]
  const missing = lacks.filter(([name, isMissing]) => isMissing && asked[name])
  const names = new Set<string>(missing.map(([name]) => name))
  return {
    resources: Object.fromEntries(Object.entries(asked).filter(([name]) => !names.has(name))),
    warnings: missing.map(([, , text]) => `Your kernel does not support ${text}`),
  }
}

function hasWeights({ controllers }: Pick<CgroupLayout, 'controllers'>): boolean {
  const directory = controllers.get('blkio') ?? '/sys/fs/cgroup/blkio'
  return ['blkio.weight', 'blkio.bfq.weight'].some((name) => existsSync(join(directory, name)))
}

/** docker's range; 0 is the default. */
export function checkOomScore(value: number | undefined): void {
  if (value !== undefined && (value < -1000 || value > 1000))
    throw refused(`Invalid value ${value}, range for oom score adj is [-1000, 1000]`)
}

function checkMemory({ memory, memorySwap, memoryReservation, memorySwappiness }: Resources, update: boolean): void {
  if (memory && memory < MINIMUM_MEMORY) throw refused('Minimum memory limit allowed is 6MB')
  if (memorySwap !== undefined && memorySwap < -1)
    throw refused(`Invalid value ${memorySwap} for the memory-swap limit: -1 means no limit`)
  if (memory && memorySwap && memorySwap > 0 && memorySwap < memory)
    throw refused('Minimum memoryswap limit should be larger than memory limit, see usage')
  if (!memory && memorySwap && memorySwap > 0 && !update)
    throw refused('You should always set the Memory limit when using Memoryswap limit, see usage')
  if (memorySwappiness !== undefined && (memorySwappiness < -1 || memorySwappiness > 100))
    throw refused(`invalid value: ${memorySwappiness}. Valid memory swappiness range is 0-100`)
  if (memoryReservation && memoryReservation < MINIMUM_MEMORY)
    throw refused('Minimum memory reservation allowed is 6MB')
  if (memory && memoryReservation && memory < memoryReservation)
    throw refused('Minimum memory limit can not be less than memory reservation limit, see usage')
}

function checkCpu({ nanoCpus, cpuPeriod, cpuQuota, cpuShares }: Resources, count: number): void {
  if (nanoCpus && nanoCpus > 0 && cpuPeriod)
    throw refused('Conflicting options: Nano CPUs and CPU Period cannot both be set')
  if (nanoCpus && nanoCpus > 0 && cpuQuota)
    throw refused('Conflicting options: Nano CPUs and CPU Quota cannot both be set')
  // The kernel counts in whole milliseconds of a period: less than a hundredth of a CPU cannot be expressed.
  if (nanoCpus && (nanoCpus < 1e7 || nanoCpus > count * 1e9))
    throw refused(`range of CPUs is from 0.01 to ${count}.00, as there are only ${count} CPUs available`)
  if (cpuPeriod && (cpuPeriod < 1000 || cpuPeriod > 1_000_000))
    throw refused('CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)')
  if (cpuQuota && cpuQuota > 0 && cpuQuota < 1000) throw refused('CPU cfs quota can not be less than 1ms (i.e. 1000)')
  if (cpuShares && cpuShares < 2) throw refused('the minimum allowed cpu-shares is 2')
  if (cpuShares && cpuShares > 262_144) throw refused('the maximum allowed cpu-shares is 262144')
}

function checkList(name: string, things: string, wanted: string | undefined, available: string): void {
  if (!wanted) return
  const members = listMembers(wanted)
  if (!members)
    throw refused(`Invalid value ${printable(wanted)} for cpuset ${name}: invalid format: ${printable(wanted)}`)
  const there = listMembers(available)
  if (there && [...members].some((member) => !there.has(member)))
    throw refused(`Requested ${things} are not available - requested ${wanted}, available: ${available}`)
}

/** More than any machine has; a range of billions must not fill the memory. */
const MOST_MEMBERS = 8192

/** `0-2,4` as numbers; undefined when it is no such list. */
function listMembers(text: string): Set<number> | undefined {
  const members = new Set<number>()
  for (const part of text.split(',')) {
    const [, first, last = first] = /^(\d{1,4})(?:-(\d{1,4}))?$/.exec(part.trim()) ?? []
    if (first === undefined || Number(last) < Number(first) || Number(last) > MOST_MEMBERS) return undefined
    for (let member = Number(first); member <= Number(last); member++) members.add(member)
  }
  return members
}

function refused(text: string): BaleError {
  return new BaleError('INVALID_ARGUMENT', text)
}
