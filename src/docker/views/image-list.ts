import {
  type Digest,
  familiarName,
  familiarRepository,
  fullName,
  parseReference,
  type Reference,
  repositoryName,
} from '#spec'
import { type FilterPair, Filters } from '../filters.ts'
import { matchGlob } from '../glob.ts'
import { unixSeconds } from './go-time.ts'
import type { ImageFacts } from './image-facts.ts'
import { sortedNames } from './image-inspect.ts'

/** One image of docker's `/images/json`. */
export interface ImageSummary {
  Id: Digest
  ParentId: string
  RepoTags: string[]
  RepoDigests: string[]
  /** Seconds since 1970. */
  Created: number
  /** Bytes of the layers' content. */
  Size: number
  VirtualSize: number
  /** -1: not counted. */
  SharedSize: number
  Labels: Record<string, string> | null
  /** -1: not counted. */
  Containers: number
}

interface ImageFilters {
  /** True: only images without a tag; false: only images with a tag or digest. */
  dangling?: boolean
  label?(labels: Readonly<Record<string, string>> | undefined): boolean
  /** Only images made before (after) this time, in milliseconds since 1970. */
  before?: number
  since?: number
  /** Patterns of names; one must fit. Tags and digests that fit none are left out of the summary. */
  reference?: readonly string[]
}

/**
 * Reads `--filter name=value` pairs. `resolve` finds the images that `before` and `since` name; `now` is in milliseconds since 1970.
 * Throws INVALID_ARGUMENT for an unknown filter.
 */
export async function readImageFilters(
  pairs: readonly FilterPair[],
  resolve: (text: string) => Promise<ImageFacts>,
  now: number,
): Promise<ImageFilters> {
  const filters = new Filters(pairs, ['before', 'dangling', 'label', 'label!', 'reference', 'since', 'until'])
  const dangling = filters.flag('dangling')
  const until = filters.until(now)
  const times = async (name: string) =>
    (await Promise.all(filters.get(name).map(resolve))).flatMap((image) => unixTime(image) ?? [])
  const before = [...(await times('before')), ...(until === undefined ? [] : [until])]
  const since = await times('since')
  return {
    ...(dangling !== undefined && { dangling }),
    label: (labels) => filters.matchesLabels(labels),
    ...(before.length > 0 && { before: Math.min(...before) }),
    ...(since.length > 0 && { since: Math.max(...since) }),
    ...(filters.has('reference') && { reference: filters.get('reference') }),
  }
}

/** Summaries of the images that the filters let through, newest first. */
export function imageSummaries(images: readonly ImageFacts[], filters: ImageFilters = {}): ImageSummary[] {
  return images
    .filter((image) => fits(image, filters))
    .flatMap((image) => summary(image, filters))
    .sort((left, right) => right.Created - left.Created)
}

function fits(image: ImageFacts, { label, before, since, dangling }: ImageFilters): boolean {
  const created = unixTime(image)
  if (before !== undefined && !(created !== undefined && created < before)) return false
  if (since !== undefined && !(created !== undefined && created > since)) return false
  if (dangling === true && image.names.length > 0) return false
  if (dangling === false && image.names.length + image.repoDigests.length === 0) return false
  return label?.(image.config.config?.Labels) ?? true
}

/** Milliseconds since 1970, undefined for an image that does not say. */
function unixTime({ config }: ImageFacts): number | undefined {
  return config.created === undefined ? undefined : Date.parse(config.created)
}

function summary(image: ImageFacts, { reference }: ImageFilters): ImageSummary[] {
  const matching = (names: readonly Reference[]) =>
    sortedNames(names)
      .filter((name) => reference === undefined || reference.some((pattern) => matchesReference(pattern, name)))
      .map((name) => familiarName(name))
  const tags = matching(image.names)
  const digests = matching(image.repoDigests)
  if (reference !== undefined && tags.length + digests.length === 0) return []
  return [
    {
      Id: image.id,
      ParentId: '',
      RepoTags: tags,
      RepoDigests: digests,
      Created: unixSeconds(image.config.created),
      Size: image.size,
      VirtualSize: image.size,
      SharedSize: -1,
      Labels: image.config.config?.Labels ?? null,
      Containers: -1,
    },
  ]
}

/** A pattern fits the name with its tag or digest, or the repository alone; both as people write them and in full. */
function matchesReference(pattern: string, name: Reference): boolean {
  const forms = [familiarName(name), familiarRepository(name), fullName(name), repositoryName(name)]
  return forms.some((form) => matchGlob(pattern, form))
}

/** One line of `docker images`: an image under one of its names. Missing parts are undefined (`<none>`). */
export interface ImageRow {
  id: Digest
  repository?: string
  tag?: string
  digest?: Digest
  /** Seconds since 1970. */
  created: number
  size: number
}

/**
 * Lines of docker's list: one for each tag (with `digests`, for each tag and digest of its repository), one for a repository
 * that is known by digest only, one for an image without any name.
 */
export function imageRows(summaries: readonly ImageSummary[], options: { digests?: boolean } = {}): ImageRow[] {
  return summaries.flatMap((one) => rowsOf(one, options.digests === true))
}

function rowsOf(one: ImageSummary, digests: boolean): ImageRow[] {
  const common = { id: one.Id, created: one.Created, size: one.Size }
  const names = [...one.RepoTags, ...one.RepoDigests].map((name) => parseReference(name))
  const byRepository = Map.groupBy(names, familiarRepository)
  const rows = [...byRepository].flatMap(([repository, known]) => {
    const tags = known.flatMap(({ tag }) => tag ?? [])
    const found = digests ? known.flatMap(({ tag, digest }) => (tag === undefined && digest ? [digest] : [])) : []
    const pairs = orNone(tags).flatMap((tag) => orNone(found).map((digest) => ({ tag, digest })))
    return pairs.map(({ tag, digest }) => ({
      ...common,
      repository,
      ...(tag ? { tag } : {}),
      ...(digest ? { digest } : {}),
    }))
  })
  return rows.length > 0 ? rows : [common]
}

function orNone<T>(items: readonly T[]): readonly (T | undefined)[] {
  return items.length > 0 ? items : [undefined]
}
