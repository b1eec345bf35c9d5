import type { Analyser, ReadableFile } from '../../analyser.ts'
import { createCollector } from '../../collector.ts'
import type { FoundInFile } from '../../model.ts'
import { linesOf } from '../control-file.ts'
import { manifestPackage } from './container-manifest.ts'
import { type Miss, orMiss } from './damaged.ts'
import { hashHeaders } from './hash-database.ts'
import { parseHeader } from './header.ts'
import { collectInstalledFiles } from './installed-files.ts'
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

/**
 * Packages of Fedora, Red Hat, SUSE and their relatives, from rpm's databases: SQLite, rpm's own, and Berkeley DB. Azure Linux
 * has a list instead in images without rpm. A damaged database gives the packages that can be read, and gaps.
 */
export const rpm: Analyser = {
  name: 'rpm',
  companions: { '-wal': LOG_LIMIT },
  wants: ({ path }) => {
    if (path === MANIFEST) return { limit: MANIFEST_LIMIT }
    return DATABASES.has(path) ? { limit: DATABASE_LIMIT } : undefined
  },
  analyse: async (file, beside) => {
    if (file.size === 0) return {}
    const readHeaders = DATABASES.get(file.path)
    return readHeaders ? readDatabase(file, (miss) => readHeaders(file, beside, miss)) : readManifest(file)
  },
}

async function readDatabase(
  { path }: ReadableFile,
  headers: (miss: Miss) => AsyncIterable<Buffer>,
): Promise<FoundInFile> {
  const collector = createCollector(path)
  const files = collectInstalledFiles(collector.miss)
  await orMiss(collector.miss, async () => {
    for await (const blob of headers(collector.miss)) {
      const more = await orMiss(collector.miss, () => {
        const header = parseHeader(blob)
        const found = packageOf(header)
        const fits = found === undefined || collector.add(found)
        files.add(found?.name ?? '', header)
        return fits
      })
      if (more === false) return
    }
  })
  return collector.result(files.paths())
}

async function readManifest(file: ReadableFile): Promise<FoundInFile> {
  const collector = createCollector(file.path)
  for (const line of linesOf(await file.read())) {
    if (line.length > 0 && !collector.add(manifestPackage(line))) break
  }
  return collector.result()
}
