import { BaleError } from '#base'
import { matchGlob } from '#docker'
import { type Digest, familiarName, familiarRepository, parseReference, type Reference } from '#spec'
import type { StoredImage } from '#store'
import { unixSeconds } from './go-time.ts'

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

export interface ImageFilters {
  /** True: only images without a tag; false: only images with a tag or digest. */
  dangling?: boolean
  /** `key` or `key=value`; all must fit. */
  label?: readonly string[]
  /** Only images made before (since) that one was. */
  before?: StoredImage
  since?: StoredImage
  /** Patterns of names; one must fit. Tags and digests that fit none are left out of the summary. */
  reference?: readonly string[]
}

const FILTER_NAMES = ['dangling', 'label', 'before', 'since', 'reference']

/**
 * Reads `--filter name=value` pairs. `resolve` finds the image that `before` and `since` name.
 * Throws INVALID_ARGUMENT for an unknown filter.
 */
export async function readImageFilters(
  pairs: readonly { name: string; value: string }[],
  resolve: (text: string) => Promise<StoredImage>,
): Promise<ImageFilters> {
  const filters: { -readonly [Name in keyof ImageFilters]: ImageFilters[Name] } = {}
  for (const { name, value } of pairs) {
    switch (name) {
      case 'dangling':
        filters.dangling = readFlag(name, value)
        break
      case 'label':
      case 'reference':
        filters[name] = [...(filters[name] ?? []), value]
        break
      case 'before':
      case 'since':
        filters[name] = await resolve(value)
        break
      default:
        throw new BaleError('INVALID_ARGUMENT', `Invalid filter '${name}'`, {
          hint: `images can be filtered by ${FILTER_NAMES.join(', ')}`,
        })
    }
  }
  return filters
}

/** Summaries of the images that the filters let through, newest first. */
export function imageSummaries(images: readonly StoredImage[], filters: ImageFilters = {}): ImageSummary[] {
  return images
    .filter((image) => fits(image, filters))
    .flatMap((image) => summary(image, filters))
    .sort((left, right) => right.Created - left.Created)
}

function fits(image: StoredImage, { label = [], before, since, dangling }: ImageFilters): boolean {
  const created = unixTime(image)
  if (before && created >= unixTime(before)) return false
  if (since && created <= unixTime(since)) return false
  if (dangling === true && image.names.length > 0) return false
  if (dangling === false && image.names.length + image.repoDigests.length === 0) return false
  const labels = image.config.config?.Labels ?? {}
  return label.every((wanted) => {
    const [key, ...value] = wanted.split('=') as [string, ...string[]]
    return Object.hasOwn(labels, key) && (value.length === 0 || labels[key] === value.join('='))
  })
}

/** Milliseconds since 1970; an image that does not tell is older than all. */
function unixTime({ config }: StoredImage): number {
  return config.created === undefined ? Number.NEGATIVE_INFINITY : Date.parse(config.created)
}

function summary(image: StoredImage, { reference }: ImageFilters): ImageSummary[] {
  const matching = (names: readonly string[]) =>
    [...names]
      .sort()
      .map((name) => parseReference(name))
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

/** A pattern fits the familiar name with its tag or digest, or the repository alone. */
function matchesReference(pattern: string, name: Reference): boolean {
  return matchGlob(pattern, familiarName(name)) || matchGlob(pattern, familiarRepository(name))
}

function readFlag(name: string, value: string): boolean {
  if (['1', 't', 'T', 'true', 'True', 'TRUE'].includes(value)) return true
  if (['0', 'f', 'F', 'false', 'False', 'FALSE'].includes(value)) return false
  throw new BaleError('INVALID_ARGUMENT', `invalid filter '${name}=${value}': the value is true or false`)
}

/** One line of `docker images`: an image under one of its names. Parts that are not there are undefined (`<none>`). */
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
