import { asError, BaleError, isBaleError } from '#base'
import type { ReplicationItem } from '../meta/index.ts'
import { matchesPattern } from '../pattern/index.ts'
import type { Going } from './end.ts'
import { isFollowingTag, isOwnTag, type RuleParts } from './rule-parts.ts'

const PAGE = 500

/**
 * Queues each tag that a rule is about, whether it is there already or not: the tasks compare. Also what it has replicated and
 * is gone. What cannot be listed does not keep the rest from being queued, and is thrown in the end.
 */
export async function queueAll(parts: RuleParts, only: string, going: Going): Promise<void> {
  const seen = new Set<string>()
  let failure: Error | undefined
  for await (const repository of repositoriesOf(parts, only, going)) {
    going.signal.throwIfAborted()
    if (seen.has(repository)) continue
    seen.add(repository)
    try {
      await queueTags(parts, repository, going)
    } catch (error) {
      if (!isBaleError(error, 'MANIFEST_NOT_FOUND') && !isBaleError(error, 'DENIED')) throw error
      failure ??= asError(error)
    }
  }
  if (parts.rule.kept.direction === 'push' && only === '') await queueGoneRepositories(parts, seen)
  if (failure) throw failure
}

async function* repositoriesOf(parts: RuleParts, only: string, { signal }: Going): AsyncGenerator<string> {
  const { kept } = parts.rule
  if (only !== '') return yield only
  const isExcepted = (name: string) => kept.except.some((pattern) => matchesPattern(pattern, name))
  if (kept.direction === 'push') {
    for await (const name of localRepositories(parts)) if (!isExcepted(name)) yield name
    return
  }
  yield* kept.repositories.filter((pattern) => !pattern.includes('*'))
  const patterns = kept.repositories.filter((pattern) => pattern.includes('*'))
  if (patterns.length === 0) return
  try {
    for await (const name of parts.registry.repositories({ signal })) {
      if (patterns.some((pattern) => matchesPattern(pattern, name))) yield name
    }
  } catch (error) {
    if (!['UNAUTHORIZED', 'DENIED', 'MANIFEST_NOT_FOUND'].some((code) => (error as BaleError).code === code))
      throw error
    throw new BaleError('DENIED', `the registry does not list its repositories: ${asError(error).message}`, {
      cause: error,
      hint: 'name them in the rule, without stars',
    })
  }
}

async function* localRepositories({ local: { meta }, rule }: RuleParts): AsyncGenerator<string> {
  for (let last: string | undefined, more = true; more; ) {
    const page = await meta.listRepositories({ within: rule.kept.repositories, last, limit: PAGE })
    yield* page
    last = page.at(-1)
    more = page.length === PAGE
  }
}

async function queueTags(parts: RuleParts, repository: string, going: Going): Promise<void> {
  const { local, rule } = parts
  const { name } = rule.kept
  const all = new Set<string>()
  let items: ReplicationItem[] = []
  for await (const tag of tagsOf(parts, repository, going)) {
    all.add(tag)
    if (!isOwnTag(rule, tag) && !isFollowingTag(rule, tag)) continue
    items.push({ repository, reference: tag })
    if (items.length < PAGE) continue
    await local.meta.queueReplications(name, items)
    items = []
  }
  await local.meta.queueReplications(name, items)
  await queueGone(parts, repository, (tag) => !all.has(tag))
}

async function* tagsOf(parts: RuleParts, repository: string, { signal }: Going): AsyncGenerator<string> {
  const { local, rule, registry } = parts
  if (rule.kept.direction === 'pull') {
    // Listed whole, so that the connection is not kept while rows are written.
    yield* await registry.use(repository, (opened) => Array.fromAsync(opened.tags({ signal })))
    return
  }
  for (let last: string | undefined, more = true; more; ) {
    const page = (await local.meta.listTags(repository, { last, limit: PAGE })) ?? []
    yield* page
    last = page.at(-1)
    more = page.length === PAGE
  }
}

/** Deletions that nobody was told of. */
async function queueGone(parts: RuleParts, repository: string, isGone: (tag: string) => boolean): Promise<void> {
  const { meta } = parts.local
  const { name, deletes } = parts.rule.kept
  for (let last: string | undefined, more = true; more; ) {
    const page = await meta.replicatedTags(name, repository, { last, limit: PAGE })
    const gone = page.filter(({ tag }) => isGone(tag)).map(({ tag }) => ({ repository, reference: tag }))
    if (deletes) await meta.queueReplications(name, gone)
    else for (const item of gone) await meta.forgetReplication(name, item)
    last = page.at(-1)?.tag
    more = page.length === PAGE
  }
}

/** What is here is known; a registry that no longer shows a repository may have other reasons. */
async function queueGoneRepositories(parts: RuleParts, there: ReadonlySet<string>): Promise<void> {
  const { meta } = parts.local
  for (let last: string | undefined, more = true; more; ) {
    const page = await meta.replicatedRepositories(parts.rule.kept.name, { last, limit: PAGE })
    for (const repository of page) if (!there.has(repository)) await queueGone(parts, repository, () => true)
    last = page.at(-1)
    more = page.length === PAGE
  }
}
