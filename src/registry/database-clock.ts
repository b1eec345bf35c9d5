import type { Clock } from '#base'
import type { MetaStore } from './meta/index.ts'

const ASK_EVERY = 60_000

/**
 * The database's time, which all replicas have in common, kept by this machine's clock between two questions: a clock that is
 * minutes wrong makes no token that others refuse. Disposing it ends the questions.
 */
export async function databaseClock(meta: MetaStore, machine: Clock): Promise<Clock & Disposable> {
  let ahead = 0
  const ask = async () => {
    const asked = machine.now()
    const time = await meta.now()
    ahead = time - (asked + machine.now()) / 2
  }
  await ask()
  // When the database does not answer, the difference of before is still the best there is.
  const timer = setInterval(() => void ask().catch(() => undefined), ASK_EVERY).unref()
  return {
    now: () => Math.round(machine.now() + ahead),
    sleep: (milliseconds, options) => machine.sleep(milliseconds, options),
    [Symbol.dispose]: () => clearInterval(timer),
  }
}
