import type { Clock } from '#base'
import {
  createDispatcher,
  createHookSender,
  createHooks,
  type HookSender,
  type HookSettings,
  type Hooks,
} from './hooks/index.ts'
import type { MetaStore } from './meta/index.ts'
import type { Observe } from './operation/index.ts'
import { workRegularly } from './regular-work.ts'
import { createSeal } from './seal/index.ts'

/** Who is told of changes, and what tells them. Disposing it ends its connections. */
interface OpenHooks extends AsyncDisposable {
  sender: HookSender
  /** Their administration, whose changes are recorded as those of whom the metadata is opened as. */
  of(meta: MetaStore): Hooks
}

export function openHooks(
  { secret, clock }: { secret(): Promise<Uint8Array>; clock: Clock },
  { hooks: settings = {}, externalUrl = 'bale-registry' }: { hooks?: HookSettings; externalUrl?: string },
): OpenHooks {
  const seal = async () => createSeal(await secret(), 'secrets of hooks')
  const sender = createHookSender({ seal, clock, source: externalUrl, settings })
  return {
    sender,
    of: (meta) => createHooks({ meta, sender, seal }),
    [Symbol.asyncDispose]: () => sender[Symbol.asyncDispose](),
  }
}

const RETRY_FOR = 24 * 3_600_000
/** What other processes changed, and what is due again, waits no longer. Milliseconds. */
const DELIVER_EVERY = 5_000

interface Delivering {
  meta: MetaStore
  sender: HookSender
  clock: Clock
  report: (failure: unknown, what: string) => void
  observe: Observe | undefined
}

/** Delivers what is due as long as it is not disposed, `soon` after a change. */
export function deliverToHooks(
  parts: Delivering,
  { retryFor = RETRY_FOR }: HookSettings = {},
): AsyncDisposable & { soon(): void } {
  const dispatcher = createDispatcher({ ...parts, retryFor })
  const failed = (error: unknown) => parts.report(error, 'delivering to hooks')
  const delivering = workRegularly(() => dispatcher.round(), { every: DELIVER_EVERY, failed })
  return {
    soon: () => delivering.soon(),
    async [Symbol.asyncDispose]() {
      await delivering[Symbol.asyncDispose]()
      await dispatcher[Symbol.asyncDispose]()
    },
  }
}
