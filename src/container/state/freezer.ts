import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { BaleError } from '#base'
import { claim, freezeCgroup, readClaim } from '#host'
import { cgroupPath } from '../spec/index.ts'
import { type Machinery, pathsOf } from './machinery.ts'

/** A claim on a container that is frozen for a while, so that it is thawed when that process is killed. */
const FREEZER = 'frozen-by.json'

/** Freezes a running container until it is disposed. */
export async function frozen(machinery: Machinery, id: string): Promise<AsyncDisposable> {
  const marker = join(pathsOf(machinery, id).bundle, FREEZER)
  await claim(marker)
  if (!(await freezeCgroup(cgroupPath(id), true))) {
    await thaw(id, marker)
    throw new BaleError('RUNTIME_FAILED', `container ${id.slice(0, 12)} cannot be paused`, {
      next: { act: 'skip-pause' },
    })
  }
  return { [Symbol.asyncDispose]: () => thaw(id, marker) }
}

async function thaw(id: string, marker: string): Promise<void> {
  await freezeCgroup(cgroupPath(id), false)
  await rm(marker, { force: true })
}

/** Thaws a container whose commit was killed in the middle. True when it was so. */
export async function thawAbandoned(machinery: Pick<Machinery, 'store'>, id: string): Promise<boolean> {
  const marker = join(pathsOf(machinery, id).bundle, FREEZER)
  if (readClaim(marker).state !== 'dead') return false
  await thaw(id, marker)
  return true
}
