import type { Analyser } from '../analyser.ts'
import type { FoundPackage, OwnedPath } from '../model.ts'
import { linesOf } from './control-file.ts'
import { ownedPath } from './owned-path.ts'
import { readPackageList } from './package-list.ts'

/** An image with 1000 packages has 5 MB. */
const LIMIT = 64 << 20

const DATABASES = new Set(['lib/apk/db/installed', 'usr/lib/apk/db/installed'])

/**
 * Packages of Alpine Linux and its relatives, from the database of apk 2 and 3. The letters of its fields are those of
 * apk's index. Source: apk-package(5) and apk_db_fdb_read of apk-tools, src/database.c.
 */
export const apk: Analyser = {
  name: 'apk',
  wants: ({ path }) => (DATABASES.has(path) ? { limit: LIMIT } : undefined),
  analyse: async (file) => {
    const bytes = await file.read()
    return { ...readPackageList(file.path, bytes, FIELDS, packageOf), owned: installedPaths(bytes) }
  },
}

/** Name, version, architecture, origin, licence, maintainer. */
const FIELDS = new Set(['P', 'V', 'A', 'o', 'L', 'm'])

function packageOf(fields: ReadonlyMap<string, string>): FoundPackage {
  const version = fields.get('V') ?? ''
  const origin = fields.get('o')
  return {
    type: 'apk',
    name: fields.get('P') ?? '',
    version,
    architecture: fields.get('A'),
    // All packages of one origin are built together, with one version.
    source: origin ? { name: origin, version } : undefined,
    licences: [fields.get('L') ?? ''],
    vendor: fields.get('m'),
  }
}

/** `P:` gives a package, `F:` a directory of it, and each `R:` below that a file there. */
function* installedPaths(bytes: Buffer): Generator<OwnedPath> {
  let name = ''
  let directory = ''
  for (const line of linesOf(bytes)) {
    const field = line.toString('latin1', 0, 2)
    const value = line.toString('latin1', 2, LONGEST_PATH)
    if (field === 'P:') name = value
    else if (field === 'F:') directory = value
    const path = field === 'R:' ? ownedPath(`${directory}/${value}`) : undefined
    if (path !== undefined) yield [path, name]
  }
}

const LONGEST_PATH = 4096
