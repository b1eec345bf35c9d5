import { readdirSync, readlinkSync } from 'node:fs'
import { errnoOf } from '#base'

/** The open sockets of a process, each as `socket:[INODE]`. Empty when it has exited or may not be inspected. Source: proc_pid_fd(5). */
export function processSockets(pid: number): string[] {
  const descriptors = `/proc/${pid}/fd`
  const names = unlessGone(() => readdirSync(descriptors)) ?? []
  const targets = names.map((name) => unlessGone(() => readlinkSync(`${descriptors}/${name}`)) ?? '')
  return targets.filter((target) => target.startsWith('socket:'))
}

function unlessGone<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (['ENOENT', 'ESRCH', 'EACCES'].includes(errnoOf(error) ?? '')) return undefined
    throw error
  }
}
