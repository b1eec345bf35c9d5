import { BaleError, isBaleError, printable } from '#base'
import { type Digest, isDigest, isRepository, isTag } from '#spec'
import { decide } from '../decide/index.ts'
import type { Gate } from '../gate/index.ts'
import type { MetaStore, Promoted } from '../meta/index.ts'
import { isPattern, matchesPattern } from '../pattern/index.ts'

/** What became of one image. */
export interface Promotion {
  /** `team/web:1` */
  source: string
  target: string
  /** Undefined when it was refused. */
  promoted?: Promoted
  /**
   * IMAGE_BLOCKED, TAG_IMMUTABLE, POLICY_VIOLATED, QUOTA_EXCEEDED, REPOSITORY_MOVED, BLOB_NOT_FOUND or MANIFEST_NOT_FOUND when only part of the
   * image has been fetched from its upstream, or DENIED for a target that is not the caller's: nothing of this image was copied.
   */
  refusal?: BaleError
}

/** How images are promoted. */
export interface PromoteOptions {
  /** Takes along what refers to them: signatures, SBOMs, also those that are kept by tags such as `sha256-….sig`. */
  referrers?: boolean
  /** Tells what would be done, and does nothing. */
  dryRun?: boolean
  /** Goes on after the image with this source, where an earlier call ended. */
  after?: string
  signal?: AbortSignal
}

/** Copies images from one repository of the registry to another; no bytes are read or written. */
export interface Promotions {
  /**
   * `team/web:1.2` to `prod/web:1.2` or to `prod/web`, under the same tag; `team/web:v*` (all tags that match) to `prod/web`; `team/*:v*` or
   * `team/**:v*` (all repositories below) to `prod/*` or `prod/**`; `team/web@sha256:…` to `prod/web:1.2` or, without a tag, `prod/web`. Each
   * image is one transaction and is judged as its push would be; they come in byte order. MANIFEST_NOT_FOUND when there is no such
   * image, DENIED for one repository that the caller may not pull from or push to. Of many, those that it may not pull from are not there.
   */
  promote(source: string, target: string, options?: PromoteOptions): AsyncIterable<Promotion>
}

/** Whether whoever promotes may do something in each of several repositories. */
export type MayDo = (action: 'pull' | 'push', repositories: readonly string[]) => Promise<boolean[]>

const everything: MayDo = async (_action, repositories) => repositories.map(() => true)

interface PromotionParts {
  /** For the blobs, in milliseconds. */
  lease: number
  /** Judges for somebody. */
  may?: MayDo | undefined
  /** Of upstreams. */
  prefixes: readonly string[]
  /** Refuses images that may not be pulled, whoever promotes them. */
  gate: Pick<Gate, 'concerns' | 'judgeOne'>
}

export function createPromotions(
  meta: MetaStore,
  { lease, may = everything, prefixes, gate }: PromotionParts,
): Promotions {
  return {
    async *promote(source, target, { after, ...options } = {}) {
      const plan = planOf(source, target)
      if (plan.star === '') await checkRights(plan, may)
      let found = 0
      for await (const image of imagesOf(meta, plan, { after: afterOf(after), may })) {
        found++
        const promotion = await promoteOne(meta, image, { ...options, lease, prefixes, gate })
        if (promotion.refusal && !options.dryRun) await recordRefusal(meta, promotion, promotion.refusal)
        yield promotion
      }
      if (found === 0 && after === undefined)
        throw new BaleError('MANIFEST_NOT_FOUND', `the registry has no image ${source}`)
    },
  }
}

/** By the names alone: what exists looks like what does not. */
async function checkRights({ from, to }: Plan, may: MayDo): Promise<void> {
  const rights = [...(await may('push', [to])), ...(await may('pull', [from]))]
  if (!rights.includes(false)) return
  throw new BaleError('DENIED', 'images are promoted by those who may pull from the source and push to the target')
}

interface Image {
  repository: string
  to: string
  /** The caller may push there. */
  isOpen: boolean
  reference: { tag: string } | { digest: Digest }
  /** Of the target. */
  tag: string | undefined
}

interface Plan {
  /** What is before the star of both, or the repository itself. */
  from: string
  to: string
  star: '' | '*' | '**'
  tags: string | { digest: Digest }
  tag: string | undefined
}

async function promoteOne(
  meta: MetaStore,
  image: Image,
  { signal, prefixes, gate, ...how }: Omit<PromoteOptions, 'after'> & Omit<PromotionParts, 'may'>,
): Promise<Promotion> {
  signal?.throwIfAborted()
  const { repository, to, isOpen, reference, tag } = image
  const source = `${repository}${'tag' in reference ? `:${reference.tag}` : `@${reference.digest}`}`
  const target = tag === undefined ? to : `${to}:${tag}`
  const refusal = isOpen
    ? await decide('anyone', 'place', { repository: to, prefixes })
    : new BaleError('DENIED', `pushing to ${to} is not allowed`)
  if (refusal) return { source, target, refusal }
  try {
    const digest = 'tag' in reference ? (await meta.findTag(repository, reference.tag))?.digest : reference.digest
    if (digest !== undefined) await checkReleased(meta, gate, { repository, digest, referrers: how.referrers ?? false })
    // By digest: what was judged is what is copied.
    const judged = digest === undefined ? reference : { digest }
    const promoted = await meta.promoteImage({ repository, ...judged }, { repository: to, tag }, how)
    if (promoted) return { source, target, promoted }
  } catch (error) {
    if (!REFUSALS.some((code) => isBaleError(error, code))) throw error
    return { source, target, refusal: error as BaleError }
  }
  throw new BaleError('MANIFEST_NOT_FOUND', `the registry has no image ${source}`)
}

/** All of it must be free to be pulled: at the target there may be fewer gates. */
async function checkReleased(
  meta: MetaStore,
  gate: PromotionParts['gate'],
  { repository, digest, referrers }: { repository: string; digest: Digest; referrers: boolean },
): Promise<void> {
  if (!(await gate.concerns(repository))) return
  for (const one of (await meta.promotedManifests({ repository, digest }, { referrers })) ?? []) {
    const release = await gate.judgeOne(repository, one)
    if (release.outcome !== 'allowed') throw release.refusal
  }
}

/** The request goes on with other images, so it is not itself recorded as refused. */
async function recordRefusal(
  meta: MetaStore,
  { source, target }: Promotion,
  { code, message }: BaleError,
): Promise<void> {
  await meta.recordRefusal({ action: 'image.promote', target, detail: `${source}: ${code}: ${message}` })
}

const REFUSALS = [
  'IMAGE_BLOCKED',
  'TAG_IMMUTABLE',
  'POLICY_VIOLATED',
  'QUOTA_EXCEEDED',
  'REPOSITORY_MOVED',
  'BLOB_NOT_FOUND',
  'MANIFEST_NOT_FOUND',
] as const
/** Codes of what one image among others is refused with. */
export const PROMOTION_REFUSALS = [...REFUSALS, 'DENIED'] as const

/** Where an earlier call ended, and who asks. */
interface Asking {
  after: { repository: string; tag: string } | undefined
  may: MayDo
}

async function* imagesOf(meta: MetaStore, plan: Plan, { after, may }: Asking): AsyncGenerator<Image> {
  const { star, tags, tag } = plan
  for await (const place of placesOf(meta, plan, { after, may })) {
    const { repository } = place
    const last = repository === after?.repository ? after.tag : undefined
    if (typeof tags !== 'string') {
      if (last === undefined) yield { ...place, reference: tags, tag }
    } else if (tags.includes('*')) {
      for await (const name of tagsOf(meta, repository, { glob: tags, last })) {
        yield { ...place, reference: { tag: name }, tag: name }
      }
    } else if (last === undefined && (star === '' || (await meta.findTag(repository, tags)))) {
      // A repository among many may lack the tag.
      yield { ...place, reference: { tag: tags }, tag: tag ?? tags }
    }
  }
}

type Place = Pick<Image, 'repository' | 'to' | 'isOpen'>

/** The repositories of a plan that the caller may pull from, from the one on where an earlier call ended. */
async function* placesOf(meta: MetaStore, { from, to, star }: Plan, { after, may }: Asking): AsyncGenerator<Place> {
  if (star === '') return yield { repository: from, to, isOpen: true }
  const pattern = from + star
  const isInside = after !== undefined && matchesPattern(pattern, after.repository)
  for (let names = isInside ? [after.repository] : [], last = after?.repository, more = true; ; ) {
    const readable = await may('pull', names)
    const shown = names.filter((_, index) => readable[index])
    const targets = shown.map((repository) => to + repository.slice(from.length))
    const writable = await may('push', targets)
    for (const [index, repository] of shown.entries()) {
      yield { repository, to: targets[index]!, isOpen: writable[index]! }
    }
    if (!more) return
    names = await meta.listRepositories({ within: [pattern], last, limit: PAGE })
    last = names.at(-1)
    more = names.length === PAGE
  }
}

const PAGE = 500

async function* tagsOf(
  meta: MetaStore,
  repository: string,
  { glob, last: start }: { glob: string; last: string | undefined },
): AsyncGenerator<string> {
  for (let last = start, more = true; more; ) {
    const page = (await meta.listTags(repository, { last, limit: PAGE })) ?? []
    for (const tag of page) if (matchesPattern(glob, tag) && !/^sha(?:256|512)-/.test(tag)) yield tag
    last = page.at(-1)
    more = page.length === PAGE
  }
}

/** INVALID_REFERENCE for what is no source of an image. */
function afterOf(text: string | undefined): Asking['after'] {
  if (text === undefined) return undefined
  const [, repository, tag] = /^([^@:]+)[@:](.+)$/.exec(text) ?? []
  if (repository !== undefined && tag !== undefined) return { repository, tag }
  throw new BaleError('INVALID_REFERENCE', `not the source of an image: ${printable(text, 300)}`)
}

function planOf(source: string, target: string): Plan {
  const [, fromText = '', digest, tags = ''] = /^([^@:]+)(?:@(.+)|:([^:]+))$/.exec(source) ?? []
  const [, toText = '', tag] = /^([^@:]+)(?::([^:]+))?$/.exec(target) ?? []
  const [from, to] = [starOf(fromText, source), starOf(toText, target)]
  if (from.star !== to.star) {
    throw invalid(target, `stars stand for the same in both: ${fromText} and ${toText} have different ones`)
  }
  if (from.star === '**' && to.before !== from.before && to.before.startsWith(from.before)) {
    throw invalid(target, `what is copied there would be copied again: it is below ${from.before}`)
  }
  if (from.star !== '' && digest !== undefined) throw invalid(source, 'a digest is in one repository')
  if (digest !== undefined && !isDigest(digest)) throw invalid(source, 'what is after the @ is no digest')
  if (digest === undefined && !GLOB.test(tags))
    throw invalid(source, 'what is after the colon is neither a tag nor a pattern of tags')
  if (tag !== undefined && !isTag(tag)) throw invalid(target, 'what is after the colon is no tag')
  if (tag !== undefined && (from.star !== '' || tags.includes('*'))) {
    throw invalid(target, 'several images cannot have one tag')
  }
  const what = digest === undefined ? tags : { digest: digest as Digest }
  return { from: from.before, to: to.before, star: from.star, tags: what, tag }
}

const GLOB = /^[A-Za-z0-9_.*-]{1,128}$/

function starOf(name: string, whole: string): { before: string; star: Plan['star'] } {
  const [, before = '', star = ''] = /^(.*?)(\*{0,2})$/.exec(name) ?? []
  const isGood = star === '' ? isRepository(name) : isPattern(name) && /^[^*]+\/$/.test(before)
  if (isGood) return { before, star: star as Plan['star'] }
  throw invalid(whole, 'stars are at the end alone, as in team/* and team/**')
}

function invalid(text: string, why: string): BaleError {
  return new BaleError('INVALID_REFERENCE', `cannot promote ${printable(text, 300)}: ${why}`, {
    hint: 'for example team/web:1.2 to prod/web, or team/*:v* to prod/*',
  })
}
