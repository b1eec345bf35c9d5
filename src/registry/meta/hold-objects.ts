import { randomBytes } from 'node:crypto'
import type { MetaStore } from './meta-store.ts'

const HOLD = 600_000
const RENEW = 60_000

/** No object is deleted until it is disposed of. */
export async function holdObjects(meta: Pick<MetaStore, 'hold' | 'release'>) {
  const id = randomBytes(16).toString('hex')
  const renew = () => meta.hold(id, HOLD)
  await renew()
  let failure: unknown
  const timer = setInterval(() => {
    renew().catch((error: unknown) => {
      failure = error
    })
  }, RENEW)
  return {
    /** Throws when the hold may have ended meanwhile. */
    check(): void {
      if (failure !== undefined) throw failure
    },
    async [Symbol.asyncDispose]() {
      clearInterval(timer)
      await meta.release(id)
    },
  }
}
