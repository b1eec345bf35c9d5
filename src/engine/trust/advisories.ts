import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { disposable, isBaleError, type OperationOptions } from '#base'
import { type Advisories, combineAdvisories } from '#trust/advisories'
import type { AdvisoryBundle } from '#trust/advisories/bundle'
import type { Inventory, InventoryPackage } from '#trust/inventory'
import type { EngineContext } from '../context/context.ts'
import { bundleDirectory } from './bundle-directory.ts'

/** Where the advisories of a scan come from. */
export interface AdvisoryOptions extends OperationOptions {
  /** Nothing is fetched: what is on this machine is used, however old. */
  offline?: boolean
}

/** All that this machine knows about the packages of an image. What could not be had is reported as a warning. */
export async function openAdvisories(
  context: EngineContext,
  inventory: Inventory,
  options: AdvisoryOptions,
): Promise<Advisories & AsyncDisposable> {
  const bundle = await openInstalledBundle(context, options)
  const mirror = await debianAdvisories(context, inventory, options)
  const support = await debianSupport(inventory)
  const parts = [...(bundle ? [bundle] : []), ...(mirror ? [mirror] : []), ...(support ? [supportAlone(support)] : [])]
  return { ...combineAdvisories(parts), ...disposable(() => bundle?.[Symbol.dispose]()) }
}

/** The bundle that was built, pulled or imported; undefined when there is none. A damaged one must not pass for none. */
async function openInstalledBundle(
  context: EngineContext,
  { progress }: OperationOptions,
): Promise<AdvisoryBundle | undefined> {
  const directory = bundleDirectory(context)
  // Most machines have none, and what reads it takes time to load.
  if (!existsSync(directory)) return undefined
  const { bundleIn, openBundle } = await import('#trust/advisories/bundle')
  const path = bundleIn(directory)
  if (!existsSync(path)) return undefined
  const bundle = openBundle(path)
  const days = Math.floor((context.clock.now() - Date.parse(bundle.info.created)) / DAY)
  if (days > FRESH_DAYS)
    progress?.({
      kind: 'warning',
      text: `the bundle of advisories is ${days} days old: what came out since is not known`,
    })
  return bundle
}

const DAY = 86_400_000
const FRESH_DAYS = 7

/** What the machine's own mirrors of Debian know of the updates of an image of Debian. */
async function debianAdvisories(
  context: EngineContext,
  { system, packages }: Inventory,
  options: AdvisoryOptions,
): Promise<Advisories | undefined> {
  const debs = packages.filter(({ type }) => type === 'deb')
  if (!system || debs.length === 0) return undefined
  const { debianRelease, openDebianMirror, readAptSources } = await import('#trust/advisories/debian')
  const release = debianRelease(system)
  if (!release) return undefined
  const sources = await readAptSources()
  if (sources.length === 0) return undefined
  await using fetcher = options.offline ? undefined : await web(context)
  const isSlow = setTimeout(() => options.progress?.({ kind: 'waiting', what: 'the mirrors of Debian' }), SLOW)
  try {
    const mirror = await openDebianMirror({
      ...release,
      sources,
      fetcher,
      architecture: architectureOf(debs),
      directory: join(context.config.root, 'trust', 'debian'),
      clock: context.clock,
      signal: options.signal,
    })
    return await mirror.withChangelogs(debs.map(sourceOf), { signal: options.signal })
  } catch (error) {
    options.signal?.throwIfAborted()
    if (!isBaleError(error)) throw error
    options.progress?.({ kind: 'warning', text: `the mirrors of Debian cannot be used: ${error.message}` })
    return undefined
  } finally {
    clearTimeout(isSlow)
  }
}

/** Milliseconds after which the wait is reported: the first time, some megabytes are fetched. */
const SLOW = 1000

async function web(context: EngineContext) {
  const { openWeb } = await import('../registries/open-registry.ts')
  return openWeb(context)
}

async function debianSupport({ system }: Inventory) {
  if (system?.id !== 'debian' && system?.id !== 'ubuntu') return undefined
  const { readDebianSupport } = await import('#trust/advisories/debian')
  return readDebianSupport(system)
}

/** Of the packages that are made for one. */
function architectureOf(debs: readonly InventoryPackage[]): string {
  return debs.find(({ architecture }) => architecture !== undefined && architecture !== 'all')?.architecture ?? 'amd64'
}

function sourceOf({ name, version, source = { name, version } }: InventoryPackage): {
  source: string
  version: string
} {
  return { source: source.name, version: source.version }
}

function supportAlone(support: NonNullable<Awaited<ReturnType<typeof debianSupport>>>): Advisories {
  return {
    coverage: () => [],
    find: () => [],
    support: (ecosystem) => (ecosystem === support.ecosystem ? support : undefined),
    version: `support ${support.endOfLife ?? ''} ${support.extendedUntil ?? ''}`,
  }
}
