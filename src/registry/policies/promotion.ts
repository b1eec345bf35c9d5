import { BaleError, isBaleError, printable } from '#base'
import { type Digest, isDigest, isRepository, isTag } from '#spec'
import { isPattern, type MetaStore, matchesPattern, type Promoted } from '../meta/index.ts'

/** What became of one image. */
export interface Promotion {
  /** `team/web:1` */
  source: string
  target: string
  /** Undefined when it was refused. */
  promoted?: Promoted
  /** TAG_IMMUTABLE, POLICY_VIOLATED or QUOTA_EXCEEDED: nothing of this image was copied. */
  refusal?: BaleError
}

/** How images are promoted. */
export interface PromoteOptions {
  /** Takes along what refers to them: signatures, SBOMs, also those that are kept by tags such as `sha256-….sig`. */
  referrers?: boolean
  /** Tells what would be done, and does nothing. */
  dryRun?: boolean
  signal?: AbortSignal
}

/** Copies images from one repository of the registry to another; no bytes are read or written. */
export interface Promotions {
  /**
   * `team/web:1.2` to `prod/web:1.2` or to `prod/web`, under the same tag; `team/web:v*` (all tags that match) to `prod/web`; `team/*:v*` or
   * `team/**:v*` (all repositories below) to `prod/*` or `prod/**`; `team/web@sha256:…` to `prod/web:1.2` or, without a tag, `prod/web`. Each
   * image is one transaction and is judged as its push would be. MANIFEST_NOT_FOUND when there is no such image.
   */
  promote(source: string, target: string, options?: PromoteOptions): AsyncIterable<Promotion>
}

export function createPromotions(meta: MetaStore, lease: number): Promotions {
  return {
    async *promote(source, target, options = {}) {
      const plan = planOf(source, target)
      let found = 0
      for await (const image of imagesOf(meta, plan)) {
        options.signal?.throwIfAborted()
        found++
        yield await promoteOne(meta, image, { ...options, lease })
      }
      if (found === 0) throw new BaleError('MANIFEST_NOT_FOUND', `the registry has no image ${source}`)
    },
  }
}

interface Image {
  repository: string
  to: string
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

async function promoteOne(meta: MetaStore, image: Image, how: PromoteOptions & { lease: number }): Promise<Promotion> {
  const { repository, to, reference, tag } = image
  const source = `${repository}${'tag' in reference ? `:${reference.tag}` : `@${reference.digest}`}`
  const target = tag === undefined ? to : `${to}:${tag}`
  try {
    const promoted = await meta.promoteImage({ repository, ...reference }, { repository: to, tag }, how)
    if (promoted) return { source, target, promoted }
  } catch (error) {
    if (!REFUSALS.some((code) => isBaleError(error, code))) throw error
    return { source, target, refusal: error as BaleError }
  }
  throw new BaleError('MANIFEST_NOT_FOUND', `the registry has no image ${source}`)
}

const REFUSALS = ['TAG_IMMUTABLE', 'POLICY_VIOLATED', 'QUOTA_EXCEEDED'] as const

async function* imagesOf(meta: MetaStore, plan: Plan): AsyncGenerator<Image> {
  const { from, to, star, tags, tag } = plan
  for await (const repository of repositoriesOf(meta, from + star)) {
    const target = star === '' ? to : to + repository.slice(from.length)
    if (typeof tags !== 'string') yield { repository, to: target, reference: tags, tag }
    else if (!tags.includes('*')) {
      // A repository among many may lack the tag.
      if (star !== '' && !(await meta.findTag(repository, tags))) continue
      yield { repository, to: target, reference: { tag: tags }, tag: tag ?? tags }
    } else {
      for await (const name of tagsOf(meta, repository, tags)) {
        yield { repository, to: target, reference: { tag: name }, tag: name }
      }
    }
  }
}

const PAGE = 500

async function* repositoriesOf(meta: MetaStore, pattern: string): AsyncGenerator<string> {
  if (!pattern.includes('*')) return yield pattern
  for (let last: string | undefined, more = true; more; ) {
    const page = await meta.listRepositories({ within: [pattern], last, limit: PAGE })
    yield* page
    last = page.at(-1)
    more = page.length === PAGE
  }
}

async function* tagsOf(meta: MetaStore, repository: string, glob: string): AsyncGenerator<string> {
  for (let last: string | undefined, more = true; more; ) {
    const page = (await meta.listTags(repository, { last, limit: PAGE })) ?? []
    for (const tag of page) if (matchesPattern(glob, tag) && !/^sha(?:256|512)-/.test(tag)) yield tag
    last = page.at(-1)
    more = page.length === PAGE
  }
}

function planOf(source: string, target: string): Plan {
  const [, fromText = '', digest, tags = ''] = /^([^@:]+)(?:@(.+)|:([^:]+))$/.exec(source) ?? []
  const [, toText = '', tag] = /^([^@:]+)(?::([^:]+))?$/.exec(target) ?? []
  const [from, to] = [starOf(fromText, source), starOf(toText, target)]
  if (from.star !== to.star) {
    throw invalid(target, `stars stand for the same in both: ${fromText} and ${toText} have different ones`)
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
