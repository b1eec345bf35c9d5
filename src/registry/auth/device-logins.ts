import { randomInt, randomUUID } from 'node:crypto'
import { BaleError } from '#base'
import type { Account, DeviceLogin, DevicePoll, MetaStore } from '../meta/index.ts'
import { hashOf, newSecret } from './secret-code.ts'

/** Consonants, which make no words, and none that look like others. Source: RFC 8628, section 6.1. */
const LETTERS = 'BCDFGHJKLMNPQRSTVWXZ'
const CODE = new RegExp(`^[${LETTERS}]{8}$`)
const SECRET = /^[A-Za-z0-9_-]{43}$/
const LIFETIME = 600_000
const POLL_EVERY = 5_000
/** Within a minute, at all processes of the registry together. */
const PERIOD = 60_000
const LIMITS = { begin: 10, guessByAccount: 10, guessByNetwork: 30 }

/** What a program is told that asks to be let in. */
interface BegunDeviceLogin {
  deviceCode: string
  /** `BCDF-GHJK` */
  userCode: string
  /** Seconds. */
  expiresIn: number
  interval: number
}

/** Who looks for a code. */
interface Guesser {
  account: Account
  network: string
}

/** Logins of programs that somebody in a browser lets in. Source: RFC 8628. */
export interface DeviceLogins {
  /** RATE_LIMITED when this network begins too many, UNAVAILABLE when too many wait. */
  begin(login: DeviceLogin & { network: string }): Promise<BegunDeviceLogin>
  /** One that waits, by the code as somebody typed it. RATE_LIMITED after too many that are wrong. */
  find(userCode: string, who: Guesser): Promise<DeviceLogin | undefined>
  /** False when it does not wait any more. Counts as `find` does. */
  decide(meta: MetaStore, userCode: string, decision: Guesser & { allow: boolean }): Promise<boolean>
  poll(deviceCode: string): Promise<DevicePoll>
}

export function createDeviceLogins(meta: MetaStore): DeviceLogins {
  /** A right code does not count. */
  async function guessing<T>({ account, network }: Guesser, look: () => Promise<T>): Promise<T> {
    const id = randomUUID()
    const limits = [
      { key: hashOf(`device code of ${account.id}`), limit: LIMITS.guessByAccount },
      { key: hashOf(`device code from ${network}`), limit: LIMITS.guessByNetwork },
    ]
    await count(meta, id, limits)
    const found = await look()
    const keys = limits.map(({ key }) => key)
    if (found) await meta.giveBackAttempt(id, keys)
    return found
  }

  return {
    async begin(login) {
      await count(meta, randomUUID(), [{ key: hashOf(`device login from ${login.network}`), limit: LIMITS.begin }])
      const deviceCode = newSecret()
      for (;;) {
        const userCode = newUserCode()
        const hashes = { hash: hashOf(deviceCode), userHash: hashOf(userCode) }
        const added = await meta.addDeviceLogin({ ...login, ...hashes, lifetime: LIFETIME, pollEvery: POLL_EVERY })
        if (added === 'full')
          throw new BaleError('RATE_LIMITED', 'too many programs wait to be let in; try again later')
        if (added === 'taken') continue
        const times = { expiresIn: LIFETIME / 1000, interval: POLL_EVERY / 1000 }
        return { deviceCode, userCode: `${userCode.slice(0, 4)}-${userCode.slice(4)}`, ...times }
      }
    },
    async find(typed, who) {
      const userCode = plainCode(typed)
      return (await guessing(who, async () => userCode && (await meta.findDeviceLogin(hashOf(userCode))))) || undefined
    },
    async decide(by, typed, { account, network, allow }) {
      const userCode = plainCode(typed)
      return await guessing({ account, network }, async () =>
        userCode === undefined ? false : await by.decideDeviceLogin(hashOf(userCode), { account, allow }),
      )
    },
    async poll(deviceCode) {
      return SECRET.test(deviceCode) ? await meta.pollDeviceLogin(hashOf(deviceCode)) : 'unknown'
    },
  }
}

/** What somebody typed, however they wrote it; undefined for what is no code. */
function plainCode(typed: string): string | undefined {
  const plain = typed
    .slice(0, 64)
    .toUpperCase()
    .replaceAll(/[^A-Z]/g, '')
  return CODE.test(plain) ? plain : undefined
}

const newUserCode = () => Array.from({ length: 8 }, () => LETTERS[randomInt(LETTERS.length)]).join('')

async function count(meta: MetaStore, id: string, limits: { key: string; limit: number }[]): Promise<void> {
  const counted = await meta.countAttempt(id, { limits, period: PERIOD })
  if (counted === 'counted') return
  throw new BaleError('RATE_LIMITED', 'too many tries; try again later', { details: { retryAfter: counted.wait } })
}
