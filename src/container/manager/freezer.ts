import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { BaleError, errnoOf } from '#base'
import { freezeCgroup, isAlive, type ProcessIdentity, processIdentity } from '#host'
import { readTextSync } from '#host/file'
import { cgroupPath } from '../spec/runtime-spec.ts'
import { type Machinery, pathsOf } from './machinery.ts'

/** A file tells who froze a container, so that it is thawed when that process is killed. */
const FREEZER = 'frozen-by.json'

/** Freezes a running container until it is disposed. */
export async function frozen(machinery: Machinery, id: string): Promise<AsyncDisposable> {
  const marker = join(pathsOf(machinery, id).bundle, FREEZER)
  await writeFile(marker, JSON.stringify(processIdentity(process.pid)))
  if (!(await freezeCgroup(cgroupPath(id), true))) {
    await thaw(id, marker)
    throw new BaleError('RUNTIME_FAILED', `container ${id.slice(0, 12)} cannot be paused`, {
      hint: 'use --pause=false',
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
  const owner = ownerOf(marker)
  if (owner === undefined || (owner !== 'unreadable' && isAlive(owner))) return false
  await thaw(id, marker)
  return true
}

function ownerOf(marker: string): ProcessIdentity | 'unreadable' | undefined {
  try {
    return JSON.parse(readTextSync(marker)) as ProcessIdentity
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    if (error instanceof SyntaxError) return 'unreadable'
    throw error
  }
}
