import { BaleError } from '#base'
import { imagesOf } from '#image'
import { type Digest, formatPlatform, isIndexType, parseManifest } from '#spec'
import type { Finding, ScanResult } from '#trust/match'
import { fits, type Release } from '../decide/index.ts'
import type { Gate } from '../gate/index.ts'
import type { ImageState, MetaStore, ScanStatus, StoredException, StoredReleaseFacts } from '../meta/index.ts'
import { decodeInventory, decodeResult } from '../scan/index.ts'
import { digestNamed, noSuchImage, parseOneImage } from './one-image.ts'
import type { MayDo } from './promotion.ts'

/** Scans of images, and their reports. Names are `team/web:1.2` or `team/web@sha256:…`. */
export interface Scans {
  /**
   * Queues a new scan of an image, or of all images of an index. Returns how many. MANIFEST_NOT_FOUND when it is not there, NOT_FOUND when
   * it is not an image.
   */
  run(name: string): Promise<number>
  /**
   * The report on an image, or on each image of an index that the repository has, in the order of the index; those after the one with
   * the digest `after`, at most `limit`. MANIFEST_NOT_FOUND when it is not there, DENIED for a repository that the caller may not pull from.
   */
  report(name: string, page?: { after?: string; limit?: number }): AsyncIterable<ImageReport>
}

/** What is known of one image. Times are milliseconds since 1970. */
export interface ImageReport {
  digest: Digest
  /** As an index has it: `linux/amd64`. */
  platform?: string
  /** `none`: not an image, or never queued. */
  state: 'none' | 'waiting' | 'running' | 'scanned' | 'failed'
  /** Why it failed last. */
  failure?: string
  queuedAt?: number
  endedAt?: number
  /** What a person said of it. */
  said?: ImageState
  /** The present verdict on pulls, where gates concern the repository. */
  release?: ReleaseVerdict
  /** When the result was made. */
  resultAt?: number
  /** The newest result, also during a new scan. Findings with an exception are marked suppressed. */
  result?: ScanResult
}

interface ReleaseVerdict {
  /** `wait`: pulls wait for the scan. */
  outcome: 'allowed' | 'wait' | 'blocked'
  /** Why not; of what is allowed, warnings. */
  reasons: string[]
}

interface ScanParts {
  /** Judges for somebody. */
  may?: MayDo | undefined
  gate: Pick<Gate, 'concerns' | 'judgeOne'>
}

export function createScans(meta: MetaStore, { may, gate }: ScanParts): Scans {
  return {
    async run(name) {
      const image = parseOneImage(name)
      const queued = await meta.queueScan(image.repository, await digestNamed(meta, image))
      if (queued > 0) return queued
      if (!(await meta.findManifest(image.repository, image.reference))) throw noSuchImage(name)
      throw new BaleError('NOT_FOUND', `${name} cannot be scanned: it is not an image`)
    },

    async *report(name, page = {}) {
      const image = parseOneImage(name)
      const { repository } = image
      // By the name alone: what exists looks like what does not.
      if (may && !(await may('pull', [repository]))[0]) {
        throw new BaleError('DENIED', 'only those who may pull an image may read its report')
      }
      const digest = await digestNamed(meta, image)
      const facts = await meta.releaseFacts(repository, digest)
      if (!facts) throw noSuchImage(name)
      const isGated = await gate.concerns(repository)
      for (const one of pageOf(imagesIn(digest, facts), page)) {
        const own = one.digest === digest ? facts : await meta.releaseFacts(repository, one.digest)
        if (!own) yield { ...one, state: 'none' }
        else {
          const release = isGated && { release: verdictOf(await gate.judgeOne(repository, one.digest)) }
          yield { ...one, ...(await reportOn(meta, one.digest, own)), ...release }
        }
      }
    },
  }
}

function verdictOf(release: Release): ReleaseVerdict {
  if (release.outcome === 'allowed') return { outcome: 'allowed', reasons: [...release.warnings] }
  const { message, details } = release.refusal
  // It is said already which image it is about.
  return { outcome: release.outcome, reasons: [message.replace(`${details['repository']}@${details['digest']}`, 'it')] }
}

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
    throw new BaleError('MANIFEST_NOT_FOUND', 'the image to continue after is no longer in the list')
  }
  return images.slice(start, limit === undefined ? undefined : start + limit)
}

async function reportOn(
  meta: MetaStore,
  digest: Digest,
  { scan, state, exceptions }: StoredReleaseFacts,
): Promise<Omit<ImageReport, keyof Listed>> {
  const said = state && { said: state }
  if (!scan) return { state: 'none', ...said }
  const { failure, queuedAt, endedAt, result: record } = scan
  const report = { state: stateOf(scan), failure, queuedAt, endedAt, ...said }
  const inventory = record && (await meta.findInventory(digest, record.inventoryId))
  if (!record || !inventory) return report
  const result = decodeResult(record.bytes, decodeInventory(inventory))
  const findings = result.findings.map((finding) => excepted(finding, exceptions))
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
