import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Reference } from '#spec'
import { SEVERITIES, type Severity } from '#trust/advisories'
import type { Inventory } from '#trust/inventory'
import { createInventoryCache } from '#trust/inventory/keep'
import { type Finding, matchInventory, type ScanResult } from '#trust/match'
import { type ScanSummary, summary } from '#trust/report/summary'
import type { EngineContext } from '../context/context.ts'
import { type AdvisoryOptions, openAdvisories } from './advisories.ts'
import { type ImagePlaceOptions, type OpenedImage, openImage } from './image-place.ts'
import { readGiven } from './read-given.ts'

/** What `scan` needs besides the image. */
export interface ScanOptions extends ImagePlaceOptions, AdvisoryOptions {
  /** Path of a YAML file with vulnerabilities that do not count, each with its reason. */
  ignoreFile?: string
  /** Paths of VEX documents: OpenVEX, CycloneDX, CSAF. */
  vex?: readonly string[]
  /** The others are left out of the result. */
  show?: FindingFilter
}

/** A scan of one image. */
export interface ScannedImage {
  /** As people know it. */
  name: string
  /** Its name in a registry, if it was found by one or has one. */
  reference?: Reference
  result: ScanResult
  /** The figures of the result. */
  summary: ScanSummary
}

/** Which findings a caller wants to see, or to fail by. */
export interface FindingFilter {
  /** At least so bad. */
  severity?: Severity
  /** Only those that an update ends. */
  fixable?: boolean
}

/**
 * Lists the packages of an image and what is known of their vulnerabilities. Files that say what does not count are read
 * first, so that a mistake in them costs no scan.
 */
export async function scanImage(
  context: EngineContext,
  text: string,
  options: ScanOptions = {},
): Promise<ScannedImage> {
  const said = await readStatements(options)
  await using image = await openImage(context, text, options)
  const inventory = await inventoryOf(context, image, options)
  await using advisories = await openAdvisories(context, inventory, options)
  const today = new Date(context.clock.now()).toISOString().slice(0, 10)
  const result = matchInventory(inventory, advisories, { today })
  const about = { inventory, reference: image.reference, today }
  const { findings, expired, unused } = said?.apply(result.findings, about) ?? { ...result, expired: [], unused: [] }
  for (const { id, expires } of expired)
    options.progress?.({ kind: 'warning', text: `what the ignore file says of ${id} has expired on ${expires}` })
  for (const { id } of unused)
    options.progress?.({ kind: 'warning', text: `the ignore file names ${id}, which the image does not have` })
  const { name, reference } = image
  return { ...scannedImage(name, { ...result, findings }, options.show), reference }
}

/** A result with its figures, of the findings that somebody wants to see. */
export function scannedImage(name: string, result: ScanResult, show?: FindingFilter): ScannedImage {
  const shown = { ...result, findings: result.findings.filter(shownBy(show)) }
  return { name, result: shown, summary: summary(shown) }
}

/** What makes findings not count; undefined when nothing was given, so that nothing of it is loaded. */
async function readStatements({ ignoreFile, vex = [] }: ScanOptions) {
  if (ignoreFile === undefined && vex.length === 0) return undefined
  const { parseIgnoreFile, parseVex, suppress } = await import('#trust/report/suppress')
  const documents = await Promise.all(vex.map(async (path) => parseVex(await readGiven(path), path)))
  const entries =
    ignoreFile === undefined ? [] : await parseIgnoreFile((await readGiven(ignoreFile)).toString(), ignoreFile)
  type About = Omit<Parameters<typeof suppress>[1], 'ignoreFile' | 'vex'>
  const said = { ignoreFile: entries, vex: documents.flat() }
  return { apply: (findings: readonly Finding[], about: About) => suppress(findings, { ...said, ...about }) }
}

/** The inventory of an opened image: that of an earlier look, if all layers could be read then. */
export async function inventoryOf(
  context: EngineContext,
  image: OpenedImage,
  options: ImagePlaceOptions,
): Promise<Inventory> {
  const cache = createInventoryCache(join(context.config.root, 'trust', 'inventories'))
  const kept = await cache.get(image.manifest.descriptor.digest)
  if (kept) return kept
  const { takeInventory } = await import('#trust/inventory')
  const inventory = await takeInventory(image.source, image.manifest, {
    temporary: tmpdir(),
    layerAtHand: (diffId) => image.layerAtHand(diffId),
    signal: options.signal,
    progress: options.progress,
  })
  if (!inventory.gaps.some(({ where }) => inventory.layers.some(({ digest }) => digest === where)))
    await cache.put(inventory)
  return inventory
}

function shownBy({ severity = 'unknown', fixable = false }: FindingFilter = {}): (one: Finding) => boolean {
  const least = SEVERITIES.indexOf(severity)
  return (one) => SEVERITIES.indexOf(one.severity) >= least && (!fixable || one.fixedVersion !== undefined)
}
