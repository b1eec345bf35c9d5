/** The parts of a registry whose images are scanned: objects as files, SQLite, and bundles of advisories. */
import { join } from 'node:path'
import { systemClock } from '#base'
import { type Digest, MediaType } from '#spec'
import type { Advisory } from '#trust/advisories'
import { digestOf, streamOf } from '../../src/blob/index.ts'
import { describeManifest } from '../../src/registry/manifest/index.ts'
import type { MetaStore } from '../../src/registry/meta/index.ts'
import { createFileObjects, type ObjectStore } from '../../src/registry/objects/index.ts'
import { createUploads, storeBlob } from '../../src/registry/uploads/index.ts'
import { createBundle } from './advisory-bundle.ts'
import { imageOfTars } from './image-of-tars.ts'
import { sqlitePlace } from './meta-places.ts'
import { tarEntry, tarOf } from './tar.ts'
import { temporaryDirectory } from './temporary.ts'

export interface ScanPlace extends AsyncDisposable {
  meta: MetaStore
  objects: ObjectStore
  /** Where the bundle is looked for. */
  advisories: string
  /** Opens the same data as another process would. The caller closes it. */
  open(): Promise<MetaStore>
  /** Sets the time of the database and of `clock`. */
  pass(milliseconds: number): Promise<void>
  clock: typeof systemClock
  /** Pushes an image of these layers. */
  push(tars: readonly Promise<Buffer>[], repository?: string): Promise<{ digest: Digest; layers: Digest[] }>
  /** Pushes an artifact with one blob. */
  pushArtifact(): Promise<Digest>
  /** Puts a bundle in place of the one that is there; `created` is RFC 3339. */
  putAdvisories(found: readonly Advisory[], created?: string): Promise<void>
}

export const TIME = Date.parse('2026-11-30T12:00:00Z')

/** Files with text. */
export const text = (name: string, content: string) => ({ entry: tarEntry(name), text: content })

/** A layer of Debian 12 with these packages. */
export function debianLayer(packages: Readonly<Record<string, string>>): Promise<Buffer> {
  const status = Object.entries(packages).map(
    ([name, version]) => `Package: ${name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: ${version}\n`,
  )
  return tarOf([text('etc/os-release', 'ID=debian\nVERSION_ID="12"\n'), text('var/lib/dpkg/status', status.join('\n'))])
}

/** A vulnerability of a package of Debian 12, fixed in 9.0. */
export function debianAdvisory(id: string, name: string, more: Partial<Advisory> = {}): Advisory {
  return {
    ...{ id, aliases: [], ecosystem: 'Debian:12', name, state: 'fixed', source: 'debian-tracker' },
    ranges: [{ events: [{ introduced: '0' }, { fixed: '9.0-1' }] }],
    severity: { level: 'critical', by: 'debian-tracker' },
    ...more,
  }
}

/** Puts a bundle in place of the one that is there, if any. `created` is RFC 3339. */
export async function putBundle(
  path: string,
  found: readonly Advisory[],
  created = '2026-11-30T00:00:00.000Z',
): Promise<void> {
  const knows = () => 'all' as const
  const source = { kind: 'debian-tracker' as const, address: 'https://tracker.example', asOf: created, knows }
  await createBundle(path, { created, sources: [{ ...source, advisories: found }] })
}

export async function scanPlace(): Promise<ScanPlace> {
  await using opened = new AsyncDisposableStack()
  const directory = opened.use(await temporaryDirectory('bale-scans'))
  const database = opened.use(await sqlitePlace())
  await database.setTime(TIME)
  const state = { time: TIME }
  const clock = { ...systemClock, now: () => state.time }
  const meta = await database.open()
  opened.defer(() => meta.close())
  const objects = createFileObjects(join(directory.path, 'objects'), { minFreePercent: 0 })
  const uploads = createUploads({ meta, objects, clock, lease: 3_600_000, grace: 0, hashThread: undefined })
  const store = async (repository: string, bytes: Uint8Array) => {
    const digest = digestOf(bytes)
    await storeBlob(uploads, { repository, principal: 'ann', digest }, async () => streamOf(bytes))
    return digest
  }
  const put = async (repository: string, bytes: Uint8Array, mediaType: string) => {
    const digest = digestOf(bytes)
    const described = describeManifest(bytes, { digest, announced: mediaType, tags: ['1'], actor: 'ann' })
    const objection = await meta.putManifest(repository, described)
    if (objection) throw new Error(JSON.stringify(objection))
    return digest
  }
  const advisories = join(directory.path, 'advisories.sqlite')
  const parts = opened.move()
  return {
    ...{ meta, objects, advisories, clock, open: database.open },
    async pass(milliseconds) {
      state.time += milliseconds
      await database.setTime(state.time)
    },
    async push(tars, repository = 'acme/web') {
      const { place, manifest: read } = await imageOfTars(await Promise.all(tars))
      if (read.kind !== 'manifest') throw new Error('it is an index')
      const { config, layers } = read.manifest
      for (const one of [config, ...layers]) {
        await store(repository, Buffer.concat(await Array.fromAsync(await place.blob(one))))
      }
      const digest = await put(repository, read.bytes, read.descriptor.mediaType)
      return { digest, layers: layers.map((one) => one.digest) }
    },
    async pushArtifact() {
      const bytes = Buffer.from('{}')
      const blob = { mediaType: 'application/vnd.example', digest: await store('acme/web', bytes), size: bytes.length }
      const manifest = { schemaVersion: 2, mediaType: MediaType.ociManifest, config: blob, layers: [blob] }
      return await put('acme/web', Buffer.from(JSON.stringify(manifest)), MediaType.ociManifest)
    },
    putAdvisories: (found, created) => putBundle(advisories, found, created),
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  }
}
