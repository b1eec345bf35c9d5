import { existsSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { errnoOf } from '#base'
import { readTextSync } from './file/index.ts'
import { sendSignal } from './process.ts'
import { processIdentity } from './process-identity.ts'

/** Where the control groups of this machine are mounted. Hybrid machines count as version 1. */
export interface CgroupLayout {
  version: 1 | 2
  /** Mount points of all hierarchies, the unified one of a hybrid machine included. */
  mounts: string[]
  /** Controller -> mount point. */
  controllers: Map<string, string>
}

/** Reads /proc/self/mountinfo (proc(5)) and, on version 2, cgroup.controllers. */
export function cgroupLayout(): CgroupLayout {
  const layout: CgroupLayout = { version: 2, mounts: [], controllers: new Map() }
  for (const line of readTextSync('/proc/self/mountinfo').split('\n')) {
    const [before, after] = line.split(' - ')
    const type = after?.split(' ')[0]
    if (type !== 'cgroup' && type !== 'cgroup2') continue
    const mountPoint = before!.split(' ')[4]!
    layout.mounts.push(mountPoint)
    if (type === 'cgroup') {
      layout.version = 1
      for (const option of after!.split(' ')[2]?.split(',') ?? [])
        if (!['rw', 'ro', 'xattr'].includes(option)) layout.controllers.set(option, mountPoint)
    }
  }
  if (layout.version === 2 && layout.mounts[0])
    for (const name of readTextSync(join(layout.mounts[0], 'cgroup.controllers')).trim().split(' '))
      layout.controllers.set(name, layout.mounts[0])
  return layout
}

/** The existing directories of one absolute cgroup path (`/bale/ID`), one per hierarchy. */
export function cgroupDirectories(path: string, layout = cgroupLayout()): string[] {
  return layout.mounts.map((mount) => join(mount, path)).filter((directory) => existsSync(directory))
}

/** Kills what is still in the group and removes it with its children. Returns false when something did not go. */
export async function removeCgroup(path: string): Promise<boolean> {
  for (let attempt = 0; attempt < 40; attempt++) {
    const directories = cgroupDirectories(path)
    if (directories.length === 0) return true
    for (const directory of directories) for (const pid of cgroupProcesses(directory)) killPid(pid)
    for (const directory of directories) removeTree(directory)
    if (cgroupDirectories(path).length === 0) return true
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
  return false
}

function killPid(pid: number): void {
  const identity = processIdentity(pid)
  if (identity) sendSignal(identity, 'SIGKILL')
}

/** Processes of a group and of the groups below it. */
export function cgroupProcesses(directory: string): number[] {
  const below = subgroups(directory).flatMap((name) => cgroupProcesses(join(directory, name)))
  return [...(readValue(join(directory, 'cgroup.procs')) ?? '').split('\n').filter(Boolean).map(Number), ...below]
}

function removeTree(directory: string): void {
  for (const name of subgroups(directory)) removeTree(join(directory, name))
  try {
    rmdirSync(directory)
  } catch (error) {
    // EBUSY: a killed process is not gone yet; the caller retries.
    if (errnoOf(error) !== 'EBUSY' && errnoOf(error) !== 'ENOENT') throw error
  }
}

function subgroups(directory: string): string[] {
  try {
    return readdirSync(directory, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return []
    throw error
  }
}

/**
 * Freezes or thaws all processes of a group. False when the group is gone, or could not be frozen (it is thawed then). The
 * old freezer can stay at FREEZING while processes are born; it is written again each time, and thawed for a moment now and
 * then so that it makes progress. Source: kernel cgroup-v1/freezer-subsystem, cgroup-v2.
 */
export async function freezeCgroup(path: string, frozen: boolean, layout = cgroupLayout()): Promise<boolean> {
  const file = freezerFile(path, layout)
  if (!existsSync(file)) return false
  const [freeze, thaw] = layout.version === 1 ? ['FROZEN', 'THAWED'] : ['1', '0']
  writeFileSync(file, frozen ? freeze : thaw)
  for (let attempt = 1; frozen && !isFrozen(path, layout); attempt++) {
    if (attempt === 400) {
      writeFileSync(file, thaw)
      return false
    }
    if (layout.version === 1 && attempt % 50 === 0) writeFileSync(file, thaw)
    await new Promise((resolve) => setTimeout(resolve, 5))
    if (layout.version === 1) writeFileSync(file, freeze)
  }
  return true
}

export function isFrozen(path: string, layout = cgroupLayout()): boolean {
  if (layout.version === 1) return readValue(freezerFile(path, layout))?.trim() === 'FROZEN'
  return /^frozen 1$/m.test(readValue(join(layout.mounts[0] ?? '', path, 'cgroup.events')) ?? '')
}

function freezerFile(path: string, layout: CgroupLayout): string {
  return layout.version === 1
    ? join(layout.controllers.get('freezer') ?? '/sys/fs/cgroup/freezer', path, 'freezer.state')
    : join(layout.mounts[0] ?? '/sys/fs/cgroup', path, 'cgroup.freeze')
}

/** How often the kernel killed a process of this group for want of memory. */
export function oomKills(path: string, layout = cgroupLayout()): number {
  const directory = join(layout.controllers.get('memory') ?? '', path)
  const file = layout.version === 1 ? 'memory.oom_control' : 'memory.events'
  return Number(/^oom_kill (\d+)$/m.exec(readValue(join(directory, file)) ?? '')?.[1] ?? 0)
}

function readValue(file: string): string | undefined {
  try {
    return readTextSync(file)
  } catch (error) {
    if (['ENOENT', 'ENODEV', 'EOPNOTSUPP'].includes(errnoOf(error) ?? '')) return undefined
    throw error
  }
}
