import { join } from 'node:path'
import { BaleError, type OperationOptions, printable } from '#base'
import { makeDirectory } from '#host/file'
import { checkedManifest } from '#image'
import { type Digest, familiarName, parseReference, withDefaultTag } from '#spec'
import {
  type AdvisoryPlace,
  type BuiltAdvisories,
  type BundleInfo,
  buildAdvisories,
  bundleIn,
  defaultPlaces,
  type InstalledBundle,
  installBundle,
  openBundle,
  pullBundle,
  pushBundle,
} from '#trust/advisories/bundle'
import type { EngineContext } from '../context/context.ts'
import { openRegistry, openWeb } from '../registries/open-registry.ts'
import { bundleDirectory } from './bundle-directory.ts'

/** What a bundle of advisories is built of. */
export interface BuildAdvisoriesOptions extends OperationOptions {
  /** What the projects publish for everyone by default. */
  from?: readonly AdvisoryPlace[]
  /** The file; by default the bundle is installed on this machine. */
  output?: string
}

/** How a bundle comes onto this machine. */
export interface TakeAdvisoriesOptions extends OperationOptions {
  /** Also one that is older than the one that is here. */
  acceptOlder?: boolean
}

/** How a bundle is fetched from a registry. */
export interface PullAdvisoriesOptions extends TakeAdvisoriesOptions {
  /** Paths of public keys, one of which must have signed it. */
  keys?: readonly string[]
}

/** Downloads what has changed since the last time, and makes one bundle of it. */
export async function buildBundle(
  context: EngineContext,
  { from = defaultPlaces(), output, signal, progress }: BuildAdvisoriesOptions = {},
): Promise<BuiltAdvisories> {
  if (output === undefined) makeDirectory(bundleDirectory(context))
  await using fetcher = openWeb(context)
  return await buildAdvisories({
    from,
    path: output ?? bundleIn(bundleDirectory(context)),
    cache: join(context.config.root, 'trust', 'sources'),
    fetcher,
    clock: context.clock,
    signal,
    progress,
  })
}

/** Installs a bundle that is in a file. */
export async function importBundle(
  context: EngineContext,
  file: string,
  { acceptOlder }: TakeAdvisoriesOptions = {},
): Promise<InstalledBundle> {
  return installBundle(file, bundleDirectory(context), { acceptOlder })
}

/** Fetches and installs the bundle that a name of a registry refers to. Throws UNTRUSTED unless one of the keys signed it. */
export async function pullNamedBundle(
  context: EngineContext,
  text: string,
  { acceptOlder, keys = [], signal, progress }: PullAdvisoriesOptions = {},
): Promise<InstalledBundle> {
  const reference = withDefaultTag(parseReference(text))
  await using repository = await openRegistry(context, reference, { typed: text })
  const verify =
    keys.length === 0
      ? undefined
      : (await import('./verify.ts')).verifierOf(context, { repository, reference, keys, signal })
  return await pullBundle(repository, bundleDirectory(context), {
    name: reference.digest ?? reference.tag,
    acceptOlder,
    verify,
    signal,
    progress,
  })
}

/** Sends the bundle of this machine, or one in a file, to a registry. Returns the digest of its manifest, which can be signed. */
export async function pushNamedBundle(
  context: EngineContext,
  text: string,
  { file = bundleIn(bundleDirectory(context)), signal, progress }: OperationOptions & { file?: string } = {},
): Promise<{ name: string; digest: Digest }> {
  const reference = withDefaultTag(parseReference(text))
  if (reference.digest)
    throw new BaleError('INVALID_REFERENCE', `a bundle gets a tag, not a digest: ${printable(text)}`)
  await using repository = await openRegistry(context, reference, { typed: text, writing: true })
  const manifest = await pushBundle(repository, file, { tag: reference.tag, signal, progress })
  return { name: familiarName(reference), digest: checkedManifest(manifest).descriptor.digest }
}

/** What the bundle of this machine, or one in a file, has. Throws PATH_NOT_FOUND. */
export async function describeBundle(
  context: EngineContext,
  { file = bundleIn(bundleDirectory(context)) }: { file?: string } = {},
): Promise<BundleInfo> {
  using bundle = openBundle(file)
  return bundle.info
}
