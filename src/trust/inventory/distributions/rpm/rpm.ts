import { BaleError, isBaleError } from '#base'
import type { Analyser, Interest, ReadableFile } from '../../analyser.ts'
import { type Collector, createCollector } from '../../collector.ts'
import type { FoundInFile } from '../../model.ts'
import { linesOf } from '../control-file.ts'
import { manifestPackage } from './container-manifest.ts'
import { type Miss, orMiss } from './damaged.ts'
import { hashHeaders } from './hash-database.ts'
import { parseHeader } from './header.ts'
import { collectInstalledFiles, type InstalledFilesCollector } from './installed-files.ts'
import { ndbHeaders } from './ndb-database.ts'
import { packageOf } from './rpm-package.ts'
import { sqliteHeaders } from './sqlite-database.ts'

/** An image with 1000 packages has 100 MB. Databases are read in parts, never whole. */
const DATABASE_LIMIT = 512 << 20
/** SQLite moves its log into the database when it has 4 MB. */
const LOG_LIMIT = 64 << 20
const MANIFEST_LIMIT = 16 << 20

const MANIFEST = 'var/lib/rpmmanifest/container-manifest-2'
const DIRECTORIES = ['var/lib/rpm', 'usr/lib/sysimage/rpm', 'usr/share/rpm']

type Beside = (name: string) => ReadableFile | undefined
type ReadHeaders = (file: ReadableFile, beside: Beside, miss: Miss) => AsyncIterable<Buffer>

/** Readers of the databases that rpm has had, by path. */
const DATABASES: ReadonlyMap<string, ReadHeaders> = new Map(
  DIRECTORIES.flatMap((directory): [string, ReadHeaders][] => [
    [`${directory}/rpmdb.sqlite`, (file, beside, miss) => sqliteHeaders(file, beside('rpmdb.sqlite-wal'), miss)],
    [`${directory}/Packages.db`, (file, _, miss) => ndbHeaders(file, miss)],
    [`${directory}/Packages`, (file, _, miss) => hashHeaders(file, miss)],
  ]),
)

/** Write-ahead logs of the SQLite databases. */
const LOGS: ReadonlySet<string> = new Set(DIRECTORIES.map((directory) => `${directory}/rpmdb.sqlite-wal`))

/**
 * Packages of Fedora, Red Hat, SUSE and their relatives, from rpm's databases: SQLite, rpm's own, and Berkeley DB.
 * Azure Linux has a list instead in images without rpm. A damaged database gives the packages that can be read, and
 * gaps.
 */
export const rpm: Analyser = {
  name: 'rpm',
  wants: ({ path }): Interest | undefined => {
    if (path === MANIFEST) return { limit: MANIFEST_LIMIT }
    if (LOGS.has(path)) return { limit: LOG_LIMIT, kept: 'answers' }
    if (!DATABASES.has(path)) return undefined
    // Databases that are one file in two directories have a log each.
    return { limit: DATABASE_LIMIT, ...(LOGS.has(`${path}-wal`) && { kept: 'asks', as: path }) }
  },
  analyse: async (file, beside) => {
    if (file.size === 0) return {}
    const database = DATABASES.get(file.path)
    return database ? readDatabase(file, (miss) => database(file, beside, miss)) : readManifest(file)
  },
}

/** A database with more damaged parts is given up: noting each of millions would take minutes. */
const MOST_DAMAGED = 10_000

async function readDatabase(
  { path }: ReadableFile,
  headers: (miss: Miss) => AsyncIterable<Buffer>,
): Promise<FoundInFile> {
  const collector = createCollector(path)
  const miss = upTo(MOST_DAMAGED, collector.miss)
  const files = collectInstalledFiles(miss)
  try {
    await orMiss(miss, () => readHeaders(headers(miss), collector, files, miss))
  } catch (error) {
    if (!isBaleError(error, 'LIMIT_EXCEEDED')) throw error
    collector.miss(error.message)
  }
  return collector.result(files.paths())
}

async function readHeaders(
  headers: AsyncIterable<Buffer>,
  collector: Collector,
  files: InstalledFilesCollector,
  miss: Miss,
): Promise<void> {
  for await (const blob of headers) {
    const more = await orMiss(miss, () => {
      const header = parseHeader(blob)
      const found = packageOf(header)
      const fits = found === undefined || collector.add(found)
      files.add(found?.name ?? '', header)
      return fits
    })
    if (more === false) return
  }
}

/** Throws LIMIT_EXCEEDED, which no reader of a database catches, from the time on that there are more. */
function upTo(most: number, miss: Miss): Miss {
  let count = 0
  return (reason) => {
    if (++count > most)
      throw new BaleError('LIMIT_EXCEEDED', `more than ${most} parts of the rpm database are damaged; no more are read`)
    miss(reason)
  }
}

async function readManifest(file: ReadableFile): Promise<FoundInFile> {
  const collector = createCollector(file.path)
  for (const line of linesOf(await file.read())) {
    if (line.length > 0 && !collector.add(manifestPackage(line))) break
  }
  return collector.result()
}
