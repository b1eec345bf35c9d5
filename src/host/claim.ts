import { errnoOf } from '#base'
import { readTextSync, writeFileAtomic } from './file/index.ts'
import { type Life, lifeOf, type ProcessIdentity, thisProcess } from './process-identity.ts'

/**
 * What a claim says: a file in which a process wrote that it has something (a start, a build step, a frozen container). Unlike a
 * lock it can be read without waiting and outlives its owner, so that others see that there is something to undo.
 */
interface Claim {
  /** `nobody`: there is no such file. `dead` also when what it says cannot be read. `unknown` counts as alive. */
  state: 'nobody' | Life
  owner?: ProcessIdentity
}

/**
 * Says that this process, or another that it answers for, holds what the file stands for. Below the run directory: nothing is flushed.
 * It ends with the file, or with its owner.
 */
export async function claim(path: string, owner: ProcessIdentity = thisProcess()): Promise<void> {
  await writeFileAtomic(path, JSON.stringify(owner), { durable: false })
}

/** Who holds what the file stands for. */
export function readClaim(path: string): Claim {
  let text: string
  try {
    text = readTextSync(path)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return { state: 'nobody' }
    throw error
  }
  const owner = readOwner(text)
  return owner ? { state: lifeOf(owner), owner } : { state: 'dead' }
}

/** True while the owner lives, or cannot be judged from here: nothing of it may be taken away. */
export function isClaimed(path: string): boolean {
  const { state } = readClaim(path)
  return state === 'alive' || state === 'unknown'
}

/** Undefined for what a crash left half written: bale 0.1 wrote claims in place. */
function readOwner(text: string): ProcessIdentity | undefined {
  try {
    const owner = JSON.parse(text) as ProcessIdentity | null
    return Number.isInteger(owner?.pid) && Number.isInteger(owner?.startTime) ? owner! : undefined
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
