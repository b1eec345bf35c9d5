import { BaleError, type OperationOptions } from '#base'
import { isTag } from '#spec'
import type { HttpAnswer } from '#transport/http'
import { htmlError, isHtml } from './answer-error.ts'
import type { Names } from './names.ts'
import type { Session } from './session.ts'

/** All tags. Pages are followed on the registry's own origin only, and never one twice. */
export async function* listTags(
  session: Session,
  names: Names,
  { signal }: OperationOptions = {},
): AsyncGenerator<string> {
  const seen = new Set<string>()
  let target: string | URL | undefined = names.path('tags/list')
  for (let pages = 0; target !== undefined; pages++) {
    if (pages === session.limits.tagPages || seen.has(String(target))) {
      throw new BaleError(
        'REGISTRY_FAILED',
        `${names.registry} does not come to an end with the tags of ${names.repository}`,
      )
    }
    seen.add(String(target))
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
    const page = await readPage(answer, session, names)
    seen.add(String(answer.url))
    yield* page
    target = page.length === 0 ? undefined : nextPage(answer, names)
  }
}

async function readPage(answer: HttpAnswer, session: Session, names: Names): Promise<string[]> {
  const body = (await answer.document(session.limits.documentBytes, 'a page of tags')).toString('utf8')
  if (isHtml(answer, body)) throw htmlError(answer, names.registry)
  const tags = parseTags(body)
  if (tags) return tags
  throw new BaleError(
    'REGISTRY_FAILED',
    `${names.registry} answered the tags of ${names.repository} with something else`,
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

/** Source: distribution-spec, "Listing Tags", and RFC 8288. */
function nextPage(answer: HttpAnswer, names: Names): URL | undefined {
  const link = /<([^>]*)>\s*;[^,]*\brel\s*=\s*"?next"?/i.exec(answer.headers['link'] ?? '')?.[1]
  if (link === undefined) return undefined
  const next = URL.canParse(link, answer.url.href) ? new URL(link, answer.url) : undefined
  if (next?.origin === answer.url.origin) return next
  throw new BaleError('REGISTRY_FAILED', `${names.registry} sends the reader of its tags to another host`)
}
