import { isBaleError } from '#base'
import type { Analyser, Interest } from '../analyser.ts'
import type { FoundInFile } from '../model.ts'
import { type ByteSource, excessive } from './bytes.ts'
import {
  coordinatesOfManifest,
  coordinatesOfPath,
  coordinatesOfProperties,
  fitsFileName,
  isPartOfJava,
  type Manifest,
  parseManifest,
} from './java-coordinates.ts'
import { createFindings, type JavaFindings, type Trail } from './java-findings.ts'
import { createMeter, type UnpackingMeter } from './unpacking-meter.ts'
import { listZip, type ZipEntry } from './zip-archive.ts'

/**
 * Maven artifacts in archives of Java, and in archives inside those. An archive says what it is, and what was merged into
 * it, by files that Maven adds to it; else by its place in a repository, or its manifest and name. One that has code and
 * says neither is a gap, since the artifact cannot be told without an index of all published ones: common for what Gradle
 * builds. An archive of archives is an application, which no advisory is about, and needs no name.
 */
export const javaArchives: Analyser = {
  name: 'java-archives',
  language: true,
  wants: ({ path }): Interest | undefined => {
    if (!isArchive(path)) return undefined
    return { limit: LARGEST_ARCHIVE, ...(coordinatesOfPath(path) && { as: path }) }
  },
  analyse: async (file): Promise<FoundInFile> => {
    // A place holder.
    if (file.size === 0) return {}
    const search: Search = { meter: createMeter(file.size), findings: createFindings(), memory: 0 }
    try {
      await searchArchive(search, file, [file.path])
    } catch (error) {
      if (!isBaleError(error) || search.findings.isEmpty()) throw error
      search.findings.miss([file.path], error.message)
    }
    return search.findings.result(file.path)
  },
}

/** Bytes; the largest that are known have less than one gigabyte. */
const LARGEST_ARCHIVE = 4 * 2 ** 30
/** ear, war, jar, and a jar in that. */
const DEEPEST = 4
/** Bytes of inflated archives that are open at one time. */
const MOST_MEMORY = 128 << 20
/** Bytes; signed archives have a manifest with some lines for each entry. */
const LARGEST_TEXT = 16 << 20
/** Bytes that are looked at: the main section of a manifest, all of a `pom.properties`. */
const LONGEST_TEXT = 64 * 1024

const MANIFEST = 'META-INF/MANIFEST.MF'

const isArchive = (name: string) => /\.(?:jar|war|ear|par|hpi|jpi)$/i.test(name)
const isManifest = (name: string) => name.length === MANIFEST.length && name.toUpperCase() === MANIFEST
const isProperties = (name: string) => name.endsWith('/pom.properties') && name.includes('META-INF/maven/')

/** One file on the way through the archives inside it. */
interface Search {
  readonly meter: UnpackingMeter
  readonly findings: JavaFindings
  /** Bytes of inflated archives that are open. */
  memory: number
}

async function searchArchive(search: Search, source: ByteSource, trail: Trail): Promise<void> {
  let hasCode = false
  const wants = (name: string) => {
    hasCode ||= name.endsWith('.class')
    return isArchive(name) || isManifest(name) || isProperties(name)
  }
  const entries = await listZip(source, wants, search.meter)
  const inner = entries.filter(({ name }) => isArchive(name))
  const texts = entries.filter(({ name }) => !isArchive(name))
  const isNamed = await identify(search, texts, trail)
  if (!isNamed && hasCode && inner.length === 0) search.findings.addNameless(trail)
  for (const entry of inner) await attempt(search, [...trail, entry.name], (inside) => openInner(search, entry, inside))
}

/** False when the archive does not say what it is itself. */
async function identify(search: Search, texts: readonly ZipEntry[], trail: Trail): Promise<boolean> {
  const fileName = trail.at(-1)!.slice(trail.at(-1)!.lastIndexOf('/') + 1)
  let isNamed = false
  let manifest: Manifest = new Map()
  for (const entry of texts) {
    await attempt(search, [...trail, entry.name], async () => {
      const text = await readText(search, entry)
      if (isManifest(entry.name)) manifest = parseManifest(text)
      const coordinates = isManifest(entry.name) ? undefined : coordinatesOfProperties(text)
      if (!coordinates) return
      search.findings.add(coordinates)
      isNamed ||= fitsFileName(coordinates, fileName)
    })
  }
  if (isNamed || isPartOfJava(manifest)) return true
  const placed = trail.length === 1 ? coordinatesOfPath(trail[0]!) : undefined
  const coordinates = placed ?? coordinatesOfManifest(manifest, fileName)
  if (coordinates) search.findings.add(coordinates)
  return coordinates !== undefined
}

async function openInner(search: Search, entry: ZipEntry, trail: Trail): Promise<void> {
  if (entry.size === 0) return
  if (trail.length > DEEPEST) throw excessive(`it is more than ${DEEPEST} archives deep`)
  const source = await entry.open(MOST_MEMORY - search.memory)
  search.memory += entry.memory
  try {
    await searchArchive(search, source, trail)
  } finally {
    search.memory -= entry.memory
  }
}

async function readText({ meter }: Search, entry: ZipEntry): Promise<string> {
  const source = await entry.open(LARGEST_TEXT)
  const length = Math.min(source.size, LONGEST_TEXT)
  meter.countBytes(length)
  return Buffer.from(await source.readAt(0, length)).toString()
}

/** What is damaged inside hides nothing of the rest, until the whole file has cost too much. */
async function attempt({ meter, findings }: Search, part: Trail, act: (part: Trail) => Promise<void>): Promise<void> {
  try {
    await act(part)
  } catch (error) {
    if (!isBaleError(error) || meter.isSpent()) throw error
    findings.miss(part, error.message)
  }
}
