import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { errnoOf } from '#base'
import { notRunning } from '#docker'
import { cgroupLayout } from '#host'
import { readTextSync } from '#host/file'
import { isLifted, type OciResources } from '../spec/index.ts'

/**
 * Lifts the limits that `resources` has as -1, in the control groups of the container's process. crun 1.8 (Debian 12) writes -1 there
 * as 18446744073709551615, which the kernel refuses. Source: kernel cgroup-v1/pids, scheduler/sched-bwc, cgroup-v2.
 */
export function liftLimits(id: string, pid: number, { pids, cpu }: OciResources): void {
  const layout = cgroupLayout()
  const lift = (controller: string, file: string, text: string) => {
    const mount = layout.controllers.get(controller)
    if (mount === undefined) return
    try {
      writeFileSync(join(mount, groupOf(pid, layout.version === 2 ? '' : controller), file), text)
    } catch (cause) {
      if (!['ENOENT', 'ESRCH'].includes(errnoOf(cause) ?? '')) throw cause
      throw notRunning(id, { cause })
    }
  }
  if (isLifted(pids?.limit)) lift('pids', 'pids.max', 'max')
  if (isLifted(cpu?.quota)) {
    if (layout.version === 2) lift('cpu', 'cpu.max', 'max')
    else lift('cpu', 'cpu.cfs_quota_us', '-1')
  }
}

/** The path of a process's group; '' is the hierarchy of version 2. Source: cgroups(7). */
function groupOf(pid: number, controller: string): string {
  for (const line of readTextSync(`/proc/${pid}/cgroup`).split('\n')) {
    const [, names = '', path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? []
    if (path !== undefined && names.split(',').includes(controller)) return path
  }
  return '/'
}
