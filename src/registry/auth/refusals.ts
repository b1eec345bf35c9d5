import { type Clock, printable } from '#base'
import type { MetaStore } from '../meta/index.ts'

/** A request that was not let do what it wanted. */
interface RefusedRequest {
  status: number | undefined
  method: string
  path: string
  address: string
  /** Of a login that was right. */
  user: string | undefined
  /** Whom a login that was not right claimed to be. */
  claimed: string | undefined
}

interface Refusals extends AsyncDisposable {
  add(request: RefusedRequest): void
}

const WINDOW = 10_000
/** Whoever asks for very many things in vain shall not fill the database. */
const MOST_KINDS = 200

/**
 * Writes refusals into the audit log, some seconds later and equal ones once, with their number. `report` is told what
 * cannot be written.
 */
export function createRefusals(parts: {
  meta: MetaStore
  clock: Clock
  report: (failure: unknown, what: string) => void
}): Refusals {
  const { meta, clock, report } = parts
  const stopping = new AbortController()
  let seen = new Map<string, { request: RefusedRequest; times: number; at: number }>()
  let more = 0
  let waiting: Promise<void> | undefined

  async function write(): Promise<void> {
    const now = clock.now()
    const entries = [...seen.values()].map(({ request, times, at }) => ({ ...entryOf(request, times), age: now - at }))
    const rest = more > 0 ? [entryOfMore(more)] : []
    seen = new Map()
    more = 0
    try {
      await meta.recordRefusals([...entries, ...rest])
    } catch (error) {
      report(error, 'writing the audit log')
    }
  }

  async function writeLater(): Promise<void> {
    // Stopping ends the wait, not the writing.
    await clock.sleep(WINDOW, { signal: stopping.signal }).catch(() => undefined)
    waiting = undefined
    await write()
  }

  return {
    add(request) {
      if (!isRefusal(request)) return
      const { status, method, path, address, user, claimed } = request
      // Whoever makes too many requests is recorded once, with the first of them.
      const key = JSON.stringify([status, method, status === 429 ? '' : path, address, user, claimed])
      const known = seen.get(key)
      if (known) known.times++
      else if (seen.size < MOST_KINDS) seen.set(key, { request, times: 1, at: clock.now() })
      else more++
      waiting ??= writeLater()
    },
    async [Symbol.asyncDispose]() {
      stopping.abort()
      await waiting
    },
  }
}

/** That somebody without a login is asked for one is how logins begin. A policy refuses with 412. */
function isRefusal({ status, claimed }: RefusedRequest): boolean {
  return status === 403 || status === 412 || status === 429 || (status === 401 && claimed !== undefined)
}

function entryOf({ status, method, path, address, user, claimed }: RefusedRequest, times: number) {
  const actor = user === undefined ? 'anonymous' : accountActor(user)
  const parts = [
    String(status),
    ...(claimed === undefined ? [] : [`as ${printable(claimed, 80)}`]),
    ...(times > 1 ? [`${times} times`] : []),
  ]
  return { actor, address, action: actionOf(method, path), target: path, detail: parts.join(', ') }
}

function entryOfMore(more: number) {
  return { actor: 'anonymous', action: 'login', target: '', detail: `${more} more refusals of other kinds`, age: 0 }
}

/** How the log names an account. */
export function accountActor(name: string): string {
  return name.includes('+') ? `robot:${name}` : `user:${name}`
}

function actionOf(method: string, path: string): string {
  if (path.startsWith('/api/v1/')) return 'administer'
  if (!/^\/v2\/./.test(path)) return 'login'
  if (method === 'DELETE') return 'delete'
  return method === 'GET' || method === 'HEAD' ? 'pull' : 'push'
}
