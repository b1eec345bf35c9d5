import { BaleError, type OperationOptions } from '#base'
import { parseJson } from '#spec'
import type { HttpAnswer } from '#transport/http'
import { htmlError, isHtml } from './answer-error.ts'
import type { Session } from './session.ts'

/** Pages without a single new name, one after the other, before a list counts as endless. */
const EMPTY_PAGES = 100

/** A list of names that a registry gives in pages. */
interface NameList extends OperationOptions {
  /** Path of the first page. */
  first: string
  scopes: readonly string[]
  /** The member of the document that has the names. */
  member: string
  /** For messages: `the list of tags of team/web`. */
  what: string
  isName(name: string): boolean
}

/**
 * All names, each once. Pages are followed on the registry's own origin only, and never one twice; one may be empty
 * (registries filter a page after cutting it).
 */
export async function* listNames(
  session: Session,
  { first, scopes, member, what, isName, signal }: NameList,
): AsyncGenerator<string> {
  const { name: registry } = session.registry
  const endless = () => new BaleError('REGISTRY_FAILED', `${registry} never ends ${what}`)
  const asked = new Set<string>()
  const found = new Set<string>()
  let target: string | undefined = first
  for (let empty = 0; target !== undefined; ) {
    if (asked.size === session.limits.tagPages || asked.has(target) || empty === EMPTY_PAGES) throw endless()
    asked.add(target)
    const answer: HttpAnswer = await session.send({
      method: 'GET',
      target,
      headers: { accept: 'application/json' },
      scopes,
      expect: [200],
      what,
      notFound: 'MANIFEST_NOT_FOUND',
      signal,
    })
    const before = found.size
    for (const name of await readPage(answer, session, { member, what })) {
      if (!isName(name) || found.has(name)) continue
      if (found.size === session.limits.tags) throw endless()
      found.add(name)
      yield name
    }
    empty = found.size === before ? empty + 1 : 0
    target = nextPage(answer)
  }
}

async function readPage(
  answer: HttpAnswer,
  session: Session,
  { member, what }: { member: string; what: string },
): Promise<string[]> {
  const body = (await answer.document(session.limits.tagPageBytes, `a page of ${what}`)).toString('utf8')
  if (isHtml(answer, body)) throw htmlError(answer, session.registry.name)
  const document = parseJson(body) as Record<string, unknown> | null | undefined
  const names = document?.[member]
  // A repository without tags is written as null by some registries.
  if (names === null) return []
  if (Array.isArray(names)) return names.filter((name) => typeof name === 'string')
  throw new BaleError('REGISTRY_FAILED', `${session.registry.name} returned something other than ${what}`)
}

/**
 * Source: distribution-spec, "Listing Tags", and RFC 8288. Of an address only path and query count, as for all clients
 * of containers/image: registries behind a proxy name themselves as they know themselves, and no other host is asked.
 */
export function nextPage(answer: HttpAnswer): string | undefined {
  // No part of it passes over a "<": the time grows with the length of the header alone.
  const link = /<([^<>]*)>\s*;[^,<]*\brel\s*=\s*"?next\b"?/i.exec(answer.headers['link'] ?? '')?.[1]
  if (link === undefined || !URL.canParse(link, answer.url.href)) return undefined
  const { pathname, search } = new URL(link, answer.url)
  return pathname + search
}
