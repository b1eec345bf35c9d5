import { readdirSync, readlinkSync } from 'node:fs'
import { errnoOf } from '#base'
import { readTextSync } from './file/index.ts'

/**
 * Identifies one process, even in a record that outlives it. Pids are reused, and the start time distinguishes them;
 * both count from the boot on; and a pid means something in its own pid namespace only.
 */
export interface ProcessIdentity {
  pid: number
  /** Clock ticks since boot, field 22 of /proc/PID/stat. */
  startTime: number
  /** The boot's ID. Records of 0.1 have none: they count as of this boot and namespace. */
  boot?: string
  /** `pid:[4026531836]`. */
  namespace?: string
}

/** `unknown`: in another pid namespace that cannot be inspected from here. */
export type Life = 'alive' | 'dead' | 'unknown'

/** The identity of a living process (a zombie is not one), or undefined. Source: proc(5). */
export function processIdentity(pid: number): ProcessIdentity | undefined {
  const startTime = startOf(pid)
  return startTime === undefined ? undefined : { pid, startTime, boot: bootId(), namespace: pidNamespace() }
}

export function thisProcess(): ProcessIdentity {
  return { pid: process.pid, startTime: startOf(process.pid) ?? 0, boot: bootId(), namespace: pidNamespace() }
}

/** A process that this or another run of bale wrote down. Without a start time any process of that number is meant. */
export function lifeOf(identity: Omit<ProcessIdentity, 'startTime'> & { startTime?: number }): Life {
  if (identity.boot !== undefined && identity.boot !== bootId()) return 'dead'
  if (isVisible(identity)) return fits(identity, startOf(identity.pid)) ? 'alive' : 'dead'
  return lifeInside(identity)
}

/** False only for a process that is certainly gone; an unknown one counts as alive, so that nothing of it is removed. */
export function isAlive(identity: ProcessIdentity): boolean {
  return lifeOf(identity) !== 'dead'
}

/** True when its pid belongs to this process's namespace: only then may it be signalled or looked up in /proc. */
export function isVisible({ namespace }: Pick<ProcessIdentity, 'namespace'>): boolean {
  return namespace === undefined || namespace === pidNamespace()
}

let boot: string | undefined

/** A process lives in one boot. */
export function bootId(): string {
  boot ??= readTextSync('/proc/sys/kernel/random/boot_id').trim()
  return boot
}

function pidNamespace(): string {
  return readlinkSync('/proc/self/ns/pid')
}

/** Of the machine itself: all processes are seen from there. Source: PROC_PID_INIT_INO of include/linux/proc_ns.h. */
const FIRST_NAMESPACE = 'pid:[4026531836]'

/** A process of a namespace below ours is in /proc as well, with its number there in the line NSpid of its status. */
function lifeInside(one: { pid: number; startTime?: number; namespace?: string }): Life {
  const { pid, namespace } = one
  let hidden = false
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name) || innerPid(name) !== pid || !fits(one, startOf(Number(name)))) continue
    const found = namespaceOf(name)
    if (found === namespace) return 'alive'
    hidden ||= found === undefined
  }
  return !hidden && pidNamespace() === FIRST_NAMESPACE ? 'dead' : 'unknown'
}

function fits(wanted: { startTime?: number }, found: number | undefined): boolean {
  return found !== undefined && (wanted.startTime === undefined || wanted.startTime === found)
}

/** Undefined without permission; empty when the process is gone. */
function namespaceOf(pid: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`)
  } catch (error) {
    return ['ENOENT', 'ESRCH'].includes(errnoOf(error) ?? '') ? '' : undefined
  }
}

/** Undefined for a process of our own namespace. */
function innerPid(pid: string): number | undefined {
  const [, inner] = /^NSpid:\s+\d+.*\s(\d+)$/m.exec(readProc(`/proc/${pid}/status`) ?? '') ?? []
  return inner === undefined ? undefined : Number(inner)
}

/** The second field is the program's name in parentheses and may contain anything: fields are counted after its last `)`. */
function startOf(pid: number): number | undefined {
  const stat = readProc(`/proc/${pid}/stat`)
  if (stat === undefined) return undefined
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : Number(fields[19])
}

/** Content of a file of /proc, undefined when the process is gone. */
function readProc(path: string): string | undefined {
  try {
    return readTextSync(path)
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes(errnoOf(error) ?? '')) return undefined
    throw error
  }
}
