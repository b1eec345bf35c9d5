import { createHash, randomUUID, timingSafeEqual } from 'node:crypto'
import { BaleError } from '#base'
import { inTurn, type MetaStore } from '../meta/index.ts'
import { hashOf } from './secret-code.ts'
import { createUsers } from './users.ts'

/** Makes the first administrator, for whoever has a token that the operator made. */
export interface Bootstrap {
  /** DENIED when the token is not right, or there are users: both look the same. RATE_LIMITED after too many that are wrong. */
  claim(claim: {
    token: string
    name: string
    password: string
    /** Where it comes from, for the audit log, and what its tries are counted by. */
    address: string
    network: string
  }): Promise<void>
}

const PERIOD = 60_000
const LIMITS = { network: 10, all: 60 }

/** Without a token, nobody is let in. */
export function createBootstrap(meta: MetaStore, token: string | undefined): Bootstrap {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  const expected = token === undefined ? undefined : digest(token)
  const isRight = (given: string) => expected !== undefined && timingSafeEqual(digest(given), expected)

  async function countTry(network: string): Promise<void> {
    const limits = [
      { key: hashOf(`bootstrap from ${network}`), limit: LIMITS.network },
      { key: hashOf('bootstrap'), limit: LIMITS.all },
    ]
    const counted = await meta.countAttempt(randomUUID(), { limits, period: PERIOD })
    if (counted === 'counted') return
    throw new BaleError('RATE_LIMITED', 'too many tries; try again later', { details: { retryAfter: counted.wait } })
  }

  return {
    async claim({ token: given, name, password, address, network }) {
      await countTry(network)
      if (!isRight(given)) throw refused()
      const users = createUsers(meta.as({ actor: 'bootstrap', address }))
      const made = await inTurn(meta, 'first administrator', async () => {
        if ((await meta.listAccounts('user')).length > 0) throw refused()
        await users.add(name, password, { admin: true })
      })
      if (made === 'taken') throw new BaleError('LOCKED', 'another request makes the first administrator')
    },
  }
}

function refused(): BaleError {
  return new BaleError('DENIED', 'the bootstrap token is not right, or there are users already')
}
