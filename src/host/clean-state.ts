import { readdirSync, writeFileSync } from 'node:fs'
import { errnoOf } from '#base'
import {
  ioprioSet,
  prlimitSoftToHard,
  SCHED_OTHER,
  schedSetAffinity,
  schedSetScheduler,
  setNiceness,
} from './kernel/syscalls.ts'

/**
 * The limits that would make a helper program fail, by the kernel's numbers (asm-generic/resource.h): CPU time, file size,
 * data, resident set, processes, files, locked memory, address space, locks, pending signals, queues, real time. Not the
 * stack, whose limit decides how memory is laid out, nor core dumps.
 */
const LIMITS = [0, 1, 2, 5, 6, 7, 8, 9, 10, 11, 12, 15]

/**
 * Frees a process that was just started, and has no children yet, from what it has of the caller's shell: niceness,
 * scheduling class and I/O class, the CPUs it is bound to, soft limits below the hard ones, the score for the kernel's
 * out-of-memory killer. What this process may not set stays. A process that is gone is left alone.
 *
 * Signals need nothing: Node starts programs with none ignored or blocked.
 */
export function cleanProcess(pid: number): void {
  for (const thread of threadsOf(pid)) {
    attempt(() => schedSetScheduler(thread, SCHED_OTHER))
    attempt(() => setNiceness(thread, 0))
    attempt(() => ioprioSet(thread, 0))
    attempt(() => schedSetAffinity(thread))
  }
  for (const limit of LIMITS) attempt(() => prlimitSoftToHard(pid, limit))
  attempt(() => writeFileSync(`/proc/${pid}/oom_score_adj`, '0'))
}

function threadsOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).map(Number)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ESRCH') return []
    throw error
  }
}

function attempt(act: () => void): void {
  try {
    act()
  } catch (error) {
    if (!['EPERM', 'EACCES', 'ESRCH', 'ENOENT', 'ENOSYS'].includes(errnoOf(error) ?? '')) throw error
  }
}
