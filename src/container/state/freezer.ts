import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { BaleError, disposable } from '#base'
import { claim, freezeCgroup, readClaim } from '#host'
import type { Container } from '../model/index.ts'
import { cgroupPath } from '../spec/index.ts'
import { announce } from './announce.ts'
import { type Machinery, pathsOf } from './machinery.ts'

/** A claim on a container that is frozen for a while, so that it is thawed when that process is killed. */
const FREEZER = 'frozen-by.json'

/** Freezes a running container until it is disposed. Both are events, as docker's pause for a commit is. */
export async function frozen(machinery: Machinery, container: Container): Promise<AsyncDisposable> {
  const { id } = container
  const marker = join(pathsOf(machinery, id).bundle, FREEZER)
  await claim(marker)
  if (!(await freezeCgroup(cgroupPath(id), true))) {
    await thaw(id, marker)
    throw new BaleError('RUNTIME_FAILED', `container ${id.slice(0, 12)} cannot be paused`, {
      next: { act: 'skip-pause' },
    })
  }
  try {
    await announce(machinery, container, 'pause')
  } catch (error) {
    await thaw(id, marker)
    throw error
  }
  return disposable(async () => {
    await thaw(id, marker)
    await announce(machinery, container, 'unpause')
  })
}

async function thaw(id: string, marker: string): Promise<void> {
  await freezeCgroup(cgroupPath(id), false)
  await rm(marker, { force: true })
}

/** Thaws a container whose commit was killed in the middle. True when it was so. */
export async function thawAbandoned(machinery: Pick<Machinery, 'store'>, container: Container): Promise<boolean> {
  const { id } = container
  const marker = join(pathsOf(machinery, id).bundle, FREEZER)
  if (readClaim(marker).state !== 'dead') return false
  await thaw(id, marker)
  await announce(machinery, container, 'unpause')
  return true
}
