import { BaleError } from '#base'
import { imagesOf } from '#image'
import { type Digest, formatPlatform, isIndexType, parseManifest } from '#spec'
import type { Finding, ScanResult } from '#trust/match'
import { fits } from '../decide/index.ts'
import type { ImageState, MetaStore, ScanStatus, StoredException, StoredReleaseFacts } from '../meta/index.ts'
import { matchesPattern } from '../pattern/index.ts'
import { decodeInventory, decodeResult } from '../scan/index.ts'
import { digestNamed, noSuchImage, parseOneImage } from './one-image.ts'
import type { MayDo } from './promotion.ts'

/** What is known of what is inside images. Names are `team/web:1.2` or `team/web@sha256:…`. */
export interface Scans {
  /**
   * Has an image, or those of an index, looked at again. Returns how many. MANIFEST_NOT_FOUND when it is not there, NOT_FOUND for what
   * is no image.
   */
  run(name: string): Promise<number>
  /**
   * What was found in an image, or in those of an index that the repository has, in the order of the index; those after the one with
   * the digest `after`, at most `limit`. MANIFEST_NOT_FOUND when it is not there, DENIED for a repository that the caller may not pull from.
   */
  report(name: string, page?: { after?: string; limit?: number }): Promise<ImageReport[]>
}

/** What is known of one image. Times are milliseconds since 1970. */
export interface ImageReport {
  digest: Digest
  /** As an index has it: `linux/amd64`. */
  platform?: string
  /** `none`: it is no image, or nothing has queued it. */
  state: 'none' | 'waiting' | 'running' | 'scanned' | 'failed'
  /** Why it failed last. */
  failure?: string
  queuedAt?: number
  endedAt?: number
  /** What a person said of it. */
  said?: ImageState
  /** When the result was made. */
  resultAt?: number
  /** The newest, also while it is looked at again. What exceptions are about is suppressed. */
  result?: ScanResult
}

/** `may` judges for somebody. */
export function createScans(meta: MetaStore, { may }: { may?: MayDo | undefined }): Scans {
  return {
    async run(name) {
      const image = parseOneImage(name)
      const queued = await meta.queueScan(image.repository, await digestNamed(meta, image))
      if (queued > 0) return queued
      if (!(await meta.findManifest(image.repository, image.reference))) throw noSuchImage(name)
      throw new BaleError('NOT_FOUND', `nothing of ${name} can be scanned: it is no image`)
    },

    async report(name, page = {}) {
      const image = parseOneImage(name)
      const { repository } = image
      // By the name alone: what exists looks like what does not.
      if (may && !(await may('pull', [repository]))[0]) {
        throw new BaleError('DENIED', 'what is known of images is told to those who may pull them')
      }
      const digest = await digestNamed(meta, image)
      const facts = await meta.releaseFacts(repository, digest)
      if (!facts) throw noSuchImage(name)
      const reports: ImageReport[] = []
      for (const one of pageOf(imagesIn(digest, facts), page)) {
        const own = one.digest === digest ? facts : await meta.releaseFacts(repository, one.digest)
        reports.push({ ...one, ...(own ? await reportOn(meta, { repository, digest: one.digest }, own) : NOTHING) })
      }
      return reports
    },
  }
}

/** Of an image that was deleted just now. */
const NOTHING = { state: 'none' } as const

type Listed = Pick<ImageReport, 'digest' | 'platform'>

/** The image itself, or those of an index that the repository has. */
function imagesIn(digest: Digest, { mediaType, bytes, children }: StoredReleaseFacts): Listed[] {
  if (!isIndexType(mediaType)) return [{ digest }]
  const parsed = parseManifest(bytes, mediaType)
  const there = new Set<string>(children)
  const images = parsed.kind === 'index' ? imagesOf(parsed.index).filter((one) => there.has(one.digest)) : []
  const platforms = new Map(images.map((one) => [one.digest, one.platform && formatPlatform(one.platform)]))
  return [...platforms].map(([each, platform]) => ({ digest: each, platform }))
}

function pageOf(images: readonly Listed[], { after, limit }: { after?: string; limit?: number }): readonly Listed[] {
  const start = after === undefined ? 0 : images.findIndex(({ digest }) => digest === after) + 1
  if (start === 0 && after !== undefined) {
    throw new BaleError('MANIFEST_NOT_FOUND', 'the image after which the list is to go on is not in it any more')
  }
  return images.slice(start, limit === undefined ? undefined : start + limit)
}

async function reportOn(
  meta: MetaStore,
  { repository, digest }: { repository: string; digest: Digest },
  { scan, state, exceptions, now }: StoredReleaseFacts,
): Promise<Omit<ImageReport, keyof Listed>> {
  const said = state && { said: state }
  if (!scan) return { state: 'none', ...said }
  const { failure, queuedAt, endedAt, result: record } = scan
  const report = { state: stateOf(scan), failure, queuedAt, endedAt, ...said }
  const inventory = record && (await meta.findInventory(digest, record.inventoryId))
  if (!record || !inventory) return report
  const counting = exceptions.filter((one) => one.expiresAt > now && matchesPattern(one.pattern, repository))
  const result = decodeResult(record.bytes, decodeInventory(inventory))
  const findings = result.findings.map((finding) => excepted(finding, counting))
  return { ...report, resultAt: record.at, result: { ...result, findings } }
}

const stateOf = ({ state, running }: ScanStatus): ImageReport['state'] =>
  state === 'waiting' && running ? 'running' : state

/** As gates judge it. */
function excepted(finding: Finding, exceptions: readonly StoredException[]): Finding {
  if (finding.suppressed) return finding
  const { type, name, source } = finding.package
  const names = { package: `${type}/${name}`, ...(source && { source: `${type}/${source.name}` }) }
  const found = exceptions.find((one) => fits(one, { ...finding, ...names }))
  if (!found) return finding
  const { reason, author, expiresAt } = found
  const expires = new Date(expiresAt).toISOString().slice(0, 10)
  return { ...finding, suppressed: { by: 'exception', reason, expires, author } }
}
