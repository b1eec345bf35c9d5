import { BaleError } from '#base'
import type { Ulimit } from '../options.ts'
import type { Machine } from './machine.ts'
import type { OciProcess } from './oci-config.ts'

/** docker's ulimit name -> the line of /proc/self/limits. */
const LIMITS: Record<string, string> = {
  core: 'Max core file size',
  cpu: 'Max cpu time',
  data: 'Max data size',
  fsize: 'Max file size',
  locks: 'Max file locks',
  memlock: 'Max locked memory',
  msgqueue: 'Max msgqueue size',
  nice: 'Max nice priority',
  nofile: 'Max open files',
  nproc: 'Max processes',
  rss: 'Max resident set',
  rtprio: 'Max realtime priority',
  rttime: 'Max realtime timeout',
  sigpending: 'Max pending signals',
  stack: 'Max stack size',
}

/** "Unlimited" as the runtime reads it: RLIM_INFINITY, which JSON numbers of JavaScript cannot hold exactly. */
const UNLIMITED = Number.MAX_SAFE_INTEGER

/**
 * Resource limits of the process. Without CAP_SYS_RESOURCE no limit can be raised above our own hard one (the runtime
 * would fail), so larger wishes are cut down to it and `warn` hears of it.
 */
export function rlimits(
  ulimits: readonly Ulimit[],
  machine: Pick<Machine, 'hardLimits' | 'mayRaiseLimits'>,
  warn: (text: string) => void,
): NonNullable<OciProcess['rlimits']> {
  return ulimits.map((ulimit) => {
    const line = LIMITS[ulimit.name]
    if (!line) throw new BaleError('INVALID_ARGUMENT', `unknown ulimit: ${ulimit.name}`)
    const most = machine.mayRaiseLimits ? Number.POSITIVE_INFINITY : (machine.hardLimits.get(line) ?? 0)
    const hard = Math.min(wanted(ulimit.hard), most)
    const soft = Math.min(wanted(ulimit.soft), hard)
    if (soft < wanted(ulimit.soft) || hard < wanted(ulimit.hard))
      warn(`ulimit ${ulimit.name} is cut to ${hard}: this process may not raise limits (no CAP_SYS_RESOURCE)`)
    return { type: `RLIMIT_${ulimit.name.toUpperCase()}`, soft: written(soft), hard: written(hard) }
  })
}

const wanted = (value: number) => (value < 0 ? Number.POSITIVE_INFINITY : value)
const written = (value: number) => (value === Number.POSITIVE_INFINITY ? UNLIMITED : value)
