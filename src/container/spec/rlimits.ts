import { BaleError, table } from '#base'
import type { Ulimit } from '../model/index.ts'
import type { Machine } from './machine.ts'
import type { LimitValue, OciProcess } from './oci-config.ts'

/** docker's ulimit name -> the line of /proc/self/limits. */
const LIMITS = table<string>({
  as: 'Max address space',
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
})

/** "Unlimited" as the runtime reads it: RLIM_INFINITY, 2^64 - 1, which numbers of JavaScript cannot hold. */
const UNLIMITED = JSON.rawJSON('18446744073709551615')

const MIB = 1024 * 1024
const NONE = -1

/**
 * The default limits of a process, regardless of the caller's shell: docker's and podman's 1,048,576 files, the
 * kernel's own values for stack, locked memory and queues, no limit elsewhere. -1 is none.
 */
const DEFAULTS = table<Pick<Ulimit, 'soft' | 'hard'>>({
  as: { soft: NONE, hard: NONE },
  core: { soft: NONE, hard: NONE },
  cpu: { soft: NONE, hard: NONE },
  data: { soft: NONE, hard: NONE },
  fsize: { soft: NONE, hard: NONE },
  locks: { soft: NONE, hard: NONE },
  memlock: { soft: 8 * MIB, hard: 8 * MIB },
  msgqueue: { soft: 819_200, hard: 819_200 },
  nice: { soft: 0, hard: 0 },
  nofile: { soft: MIB, hard: MIB },
  nproc: { soft: NONE, hard: NONE },
  rss: { soft: NONE, hard: NONE },
  rtprio: { soft: 0, hard: 0 },
  rttime: { soft: NONE, hard: NONE },
  sigpending: { soft: NONE, hard: NONE },
  stack: { soft: 8 * MIB, hard: NONE },
})

type Limits = Pick<Machine, 'hardLimits' | 'mayRaiseLimits' | 'mostFiles'>

/**
 * Resource limits of a process: the requested ones, and the defaults for all others. Without CAP_SYS_RESOURCE no limit can be
 * raised above our own hard one (the runtime would fail), so larger ones are cut down to it; `warn` hears of those that
 * were requested.
 */
export function rlimits(
  ulimits: readonly Ulimit[],
  machine: Limits,
  warn: (text: string) => void,
): NonNullable<OciProcess['rlimits']> {
  const asked = new Set(ulimits.map(({ name }) => name))
  for (const name of asked)
    if (!LIMITS[name] || name === 'as') throw new BaleError('INVALID_ARGUMENT', `unknown ulimit: ${name}`)
  const others = Object.entries(DEFAULTS).filter(([name]) => !asked.has(name))
  const limits = [
    ...ulimits.map((ulimit) => ({ ...ulimit, warn })),
    ...others.map(([name, limit]) => ({ name, ...limit, warn: () => undefined })),
  ]
  return limits.map((limit) => {
    const most = highest(limit.name, machine)
    const hard = Math.min(wanted(limit.hard), most)
    const soft = Math.min(wanted(limit.soft), hard)
    if (soft < wanted(limit.soft) || hard < wanted(limit.hard))
      limit.warn(`ulimit ${limit.name} is lowered to ${hard}: this process may not raise limits (no CAP_SYS_RESOURCE)`)
    return { type: `RLIMIT_${limit.name.toUpperCase()}`, soft: written(soft), hard: written(hard) }
  })
}

/** The kernel's own limit on files holds for everybody. */
function highest(name: string, { hardLimits, mayRaiseLimits, mostFiles }: Limits): number {
  const most = mayRaiseLimits ? Number.POSITIVE_INFINITY : (hardLimits.get(LIMITS[name]!) ?? 0)
  return name === 'nofile' ? Math.min(most, mostFiles) : most
}

const wanted = (value: number) => (value < 0 ? Number.POSITIVE_INFINITY : value)
const written = (value: number): LimitValue => (value === Number.POSITIVE_INFINITY ? UNLIMITED : value)
