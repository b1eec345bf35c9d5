import { BaleError, type OperationOptions } from '#base'
import { isTag } from '#spec'
import type { HttpAnswer } from '#transport/http'
import { htmlError, isHtml } from './answer-error.ts'
import type { Names } from './names.ts'
import type { Session } from './session.ts'

/** Pages without a single new tag, one after the other, before a list counts as endless. */
const EMPTY_PAGES = 100

/**
 * All tags, each once. Pages are followed on the registry's own origin only, and never one twice; one may be empty
 * (registries filter a page after cutting it).
 */
export async function* listTags(
  session: Session,
  names: Names,
  { signal }: OperationOptions = {},
): AsyncGenerator<string> {
  const endless = () =>
    new BaleError('REGISTRY_FAILED', `${names.registry} never ends the list of tags of ${names.repository}`)
  const asked = new Set<string>()
  const found = new Set<string>()
  let target: string | undefined = names.path('tags/list')
  for (let empty = 0; target !== undefined; ) {
    if (asked.size === session.limits.tagPages || asked.has(target) || empty === EMPTY_PAGES) throw endless()
    asked.add(target)
    const answer: HttpAnswer = await session.send({
      method: 'GET',
      target,
      headers: { accept: 'application/json' },
      scopes: names.pull,
      expect: [200],
      what: `tags of ${names.registry}/${names.repository}`,
      notFound: 'MANIFEST_NOT_FOUND',
      signal,
    })
    const before = found.size
    for (const tag of await readPage(answer, session, names)) {
      if (found.has(tag)) continue
      if (found.size === session.limits.tags) throw endless()
      found.add(tag)
      yield tag
    }
    empty = found.size === before ? empty + 1 : 0
    target = nextPage(answer)
  }
}

async function readPage(answer: HttpAnswer, session: Session, names: Names): Promise<string[]> {
  const body = (await answer.document(session.limits.tagPageBytes, 'a page of tags')).toString('utf8')
  if (isHtml(answer, body)) throw htmlError(answer, names.registry)
  const tags = parseTags(body)
  if (tags) return tags
  throw new BaleError(
    'REGISTRY_FAILED',
    `${names.registry} returned something other than the tags of ${names.repository}`,
  )
}

/** A repository without tags is written as null by some registries. Names that cannot be tags are left out. */
function parseTags(body: string): string[] | undefined {
  try {
    const tags = (JSON.parse(body) as { tags?: unknown } | null)?.tags
    if (tags === null) return []
    return Array.isArray(tags) ? tags.filter((tag): tag is string => typeof tag === 'string' && isTag(tag)) : undefined
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

/**
 * Source: distribution-spec, "Listing Tags", and RFC 8288. Of an address only path and query count, as for all clients
 * of containers/image: registries behind a proxy name themselves as they know themselves, and no other host is asked.
 */
function nextPage(answer: HttpAnswer): string | undefined {
  const link = /<([^>]*)>\s*;[^,]*\brel\s*=\s*"?next\b"?/i.exec(answer.headers['link'] ?? '')?.[1]
  if (link === undefined || !URL.canParse(link, answer.url.href)) return undefined
  const { pathname, search } = new URL(link, answer.url)
  return pathname + search
}
