import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { disposable, isBaleError, type OperationOptions } from '#base'
import { type Advisories, combineAdvisories } from '#trust/advisories'
import { type AdvisoryBundle, bundleIn, openBundle } from '#trust/advisories/bundle'
import { debianRelease, openDebianMirror, readAptSources, readDebianSupport } from '#trust/advisories/debian'
import type { Inventory, InventoryPackage } from '#trust/inventory'
import type { EngineContext } from '../context/context.ts'
import { bundleDirectory } from './advisory-bundle.ts'

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
  const bundle = openInstalledBundle(context, options)
  const mirror = await debianAdvisories(context, inventory, options)
  const support = inventory.system && (await readDebianSupport(inventory.system))
  const parts = [...(bundle ? [bundle] : []), ...(mirror ? [mirror] : []), ...(support ? [supportAlone(support)] : [])]
  return { ...combineAdvisories(parts), ...disposable(() => bundle?.[Symbol.dispose]()) }
}

/** The bundle that was built, pulled or imported; undefined when there is none. A damaged one must not pass for none. */
function openInstalledBundle(context: EngineContext, { progress }: OperationOptions): AdvisoryBundle | undefined {
  const path = bundleIn(bundleDirectory(context))
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
  const release = system && debianRelease(system)
  const debs = packages.filter(({ type }) => type === 'deb')
  if (!release || debs.length === 0) return undefined
  const sources = await readAptSources()
  if (sources.length === 0) return undefined
  const { openWeb } = await import('../registries/open-registry.ts')
  await using fetcher = options.offline ? undefined : openWeb(context)
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
  }
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

function supportAlone(support: NonNullable<Awaited<ReturnType<typeof readDebianSupport>>>): Advisories {
  return {
    coverage: () => [],
    find: () => [],
    support: (ecosystem) => (ecosystem === support.ecosystem ? support : undefined),
    version: `support ${support.endOfLife ?? ''} ${support.extendedUntil ?? ''}`,
  }
}
