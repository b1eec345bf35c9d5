import { readlinkSync } from 'node:fs'
import { errnoOf } from '#base'
import { readTextSync } from '#host/file'

/** A process, told from a later one with the same number by its start, and from one of an earlier boot. */
export interface ProcessIdentity {
  pid: number
  /** Clock ticks since boot. */
  started: string
  boot: string
  /** `pid:[4026531836]`: numbers of other namespaces cannot be judged. */
  namespace: string
}

export function thisProcess(): ProcessIdentity {
  return { pid: process.pid, started: startOf(process.pid) ?? '', boot: bootId(), namespace: pidNamespace() }
}

/** True when that process still runs; `unknown` when it is of another pid namespace of this boot. */
export function isAlive(identity: ProcessIdentity): boolean | 'unknown' {
  if (identity.boot !== bootId()) return false
  if (identity.namespace !== pidNamespace()) return 'unknown'
  return startOf(identity.pid) === identity.started
}

export function bootId(): string {
  return readTextSync('/proc/sys/kernel/random/boot_id', { encoding: 'latin1' }).trim()
}

function pidNamespace(): string {
  return readlinkSync('/proc/self/ns/pid')
}

/** Field 22 of /proc/PID/stat; the name before it may hold anything, so fields are counted behind its last `)`. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readTextSync(`/proc/${pid}/stat`, { encoding: 'latin1' })
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ESRCH') return undefined
    throw error
  }
}
