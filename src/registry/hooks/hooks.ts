import { randomUUID } from 'node:crypto'
import { BaleError, isBaleError, printable } from '#base'
import {
  ACCOUNT_ACTIONS,
  type Delivery,
  type DeliveryState,
  type Hook,
  type MetaStore,
  REPOSITORY_ACTIONS,
} from '../meta/index.ts'
import { checkPattern, matchesPattern } from '../pattern/index.ts'
import type { Seal } from '../seal/index.ts'
import { ATTEMPT_TIME, type HookSender, type Sent } from './hook-sender.ts'
import { checkSigningSecret, newSigningSecret } from './signing-secret.ts'

/** What a new hook is told, and where. */
export interface NewHook {
  /** https or http. */
  url: string
  /** Repositories, `**` by default: then it can also be told of what concerns none. */
  pattern?: string
  /** Actions as the audit log names them, with `*` for any characters; those of tags and manifests by default. */
  events?: readonly string[]
  /** What signs: `whsec_` and 24 to 64 bytes in base64. A new one by default. */
  secret?: string
}

/** What came of a test. */
export interface Tried extends Omit<Sent, 'wait' | 'outcome'> {
  delivered: boolean
  milliseconds: number
}

/** Which deliveries: at most `limit` (100), of those before the one with the ID `before`. */
export interface DeliveryPage {
  hook?: string
  state?: DeliveryState
  before?: number
  limit?: number
}

/** Who is told of changes, and what became of that. All but `list` and `deliveries` throw NOT_FOUND for an unknown hook or delivery. */
export interface Hooks {
  /** By their names. */
  list(): Promise<Hook[]>
  /** Returns the secret. CONFLICT when there is one with the name. */
  add(name: string, hook: NewHook): Promise<string>
  /** With its deliveries. */
  remove(name: string): Promise<void>
  /** Has it told of what happens from now on, and of what still waits. */
  enable(name: string): Promise<void>
  disable(name: string): Promise<void>
  /** Sends an event `hook.test`, once, from here. */
  test(name: string, options?: { signal?: AbortSignal }): Promise<Tried>
  /** Newest first. */
  deliveries(page?: DeliveryPage): Promise<Delivery[]>
  /** Has a delivery sent again by the process that serves the registry, whatever became of it. */
  redeliver(id: number): Promise<void>
}

const DEFAULT_EVENTS = ['tag.*', 'manifest.*']
const PAGE = 100

export function createHooks(parts: { meta: MetaStore; sender: HookSender; seal(): Promise<Seal> }): Hooks {
  const { meta, sender, seal } = parts
  const setActive = async (name: string, active: boolean) => {
    if (!(await meta.setHookActive(name, active))) throw noHook(name)
  }
  return {
    list: () => meta.listHooks(),
    async add(name, { url, pattern = '**', events = DEFAULT_EVENTS, secret = newSigningSecret() }) {
      checkName(name)
      checkUrl(url)
      checkPattern(pattern)
      checkEvents(events, pattern)
      checkSigningSecret(secret)
      const id = randomUUID()
      const sealed = (await seal()).close(id, secret)
      if (await meta.addHook({ id, name, url, pattern, events: [...events], secret: sealed })) return secret
      throw new BaleError('CONFLICT', `there is a hook ${name} already`, { next: { act: 'list-registry-hooks' } })
    },
    async remove(name) {
      if (!(await meta.removeHook(name))) throw noHook(name)
    },
    enable: (name) => setActive(name, true),
    disable: (name) => setActive(name, false),
    async test(name, { signal } = {}) {
      const taken = await meta.takeTrial(name, { lease: 2 * ATTEMPT_TIME })
      if (!taken) throw noHook(name)
      const began = performance.now()
      const {
        outcome,
        wait: _,
        ...told
      } = await sender.send(taken, { signal }).catch((error: unknown): Sent => {
        if (isBaleError(error)) return { outcome: 'failed', failure: error.message }
        throw error
      })
      const delivered = outcome === 'delivered'
      await meta.endAttempt(taken, { ...told, next: delivered ? 'delivered' : 'dead' })
      return { delivered, ...told, milliseconds: Math.round(performance.now() - began) }
    },
    deliveries: ({ limit = PAGE, ...page } = {}) => meta.listDeliveries({ ...page, limit }),
    async redeliver(id) {
      if (await meta.redeliver(id)) return
      throw new BaleError('NOT_FOUND', `there is no delivery ${id}`, {
        next: { act: 'list-registry-deliveries' },
      })
    },
  }
}

function noHook(name: string): BaleError {
  return new BaleError('NOT_FOUND', `there is no hook ${printable(name, 80)}`, {
    next: { act: 'list-registry-hooks' },
  })
}

function checkName(name: string): void {
  if (/^[a-z0-9](?:[a-z0-9._-]{0,61}[a-z0-9])?$/.test(name)) return
  throw new BaleError('INVALID_ARGUMENT', `not the name of a hook: ${printable(name, 80)}`, {
    hint: 'at most 63 lower-case letters, digits and . _ -',
  })
}

/** A login in it would be shown wherever hooks are listed. */
function checkUrl(text: string): void {
  const url = text.length <= 2048 ? URL.parse(text) : null
  if (url && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '' && url.hash === '') return
  throw new BaleError('INVALID_ARGUMENT', `not the URL of a hook: ${printable(text, 120)}`, {
    hint: 'for example https://ci.example/bale; a login in it is not allowed, since all messages are signed',
  })
}

/** One that could never happen would be waited for in vain. */
function checkEvents(events: readonly string[], pattern: string): void {
  const possible = pattern === '**' ? [...REPOSITORY_ACTIONS, ...ACCOUNT_ACTIONS] : REPOSITORY_ACTIONS
  if (events.length === 0) throw new BaleError('INVALID_ARGUMENT', 'a hook without events would be told nothing')
  for (const event of events) {
    if (isEventPattern(event) && possible.some((action) => matchesPattern(event, action))) continue
    const elsewhere = isEventPattern(event) && ACCOUNT_ACTIONS.some((action) => matchesPattern(event, action))
    const hint = elsewhere
      ? 'it concerns no repository: such events are for hooks of **'
      : `such as ${possible.join(', ')}`
    throw new BaleError('INVALID_ARGUMENT', `not an event of repositories ${pattern}: ${printable(event, 80)}`, {
      hint,
    })
  }
}

function isEventPattern(event: string): boolean {
  return /^[a-z.*]{1,64}$/.test(event) && !event.includes('**') && (event.match(/\*/g) ?? []).length <= 4
}
