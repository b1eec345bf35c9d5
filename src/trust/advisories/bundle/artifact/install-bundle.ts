import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { BaleError, isBaleError } from '#base'
import { makeDirectory, temporaryDirectory, withNoSpace } from '#host/file'
import type { BundleInfo } from '../file/bundle-info.ts'
import { openBundle } from '../file/open-bundle.ts'
import { replaceFile } from '../file/replace-file.ts'

/** Where the bundle of a directory is, whether there is one or not. */
export function bundleIn(directory: string): string {
  return join(directory, 'advisories.sqlite')
}

export interface InstallOptions {
  /** Also one that was created before the one that is there. */
  acceptOlder?: boolean
}

/** A bundle that is in its place. */
export interface InstalledBundle {
  readonly path: string
  readonly info: BundleInfo
  /** It was there before. */
  readonly unchanged: boolean
}

/**
 * Puts a copy of a bundle's file into a directory, in place of the one that is there, once all of it is checked. Readers of
 * the former one are not disturbed. Throws CONFLICT for an older one, INVALID_ARCHIVE for a damaged one, UNSUPPORTED for
 * another schema; the former one then stays.
 */
export async function installBundle(
  file: string,
  directory: string,
  options: InstallOptions = {},
): Promise<InstalledBundle> {
  using bundle = openBundle(file)
  const there = admitted(bundle.info, directory, options)
  if (there) return there
  makeDirectory(directory)
  await using scratch = await temporaryDirectory(directory, '.advisories-')
  const copy = join(scratch.path, 'bundle')
  await withNoSpace(directory, () => copyFile(file, copy))
  return await putInPlace(copy, directory, options)
}

/** The last part of it: `copy` is on the file system of `directory`, and nobody else's. */
export async function putInPlace(copy: string, directory: string, options: InstallOptions): Promise<InstalledBundle> {
  using bundle = openBundle(copy)
  bundle.check()
  // Again, since another process may have installed one meanwhile.
  const there = admitted(bundle.info, directory, options)
  if (there) return there
  const path = bundleIn(directory)
  await replaceFile(copy, path)
  return { path, info: bundle.info, unchanged: false }
}

/** The one that is there, when it is the same. Throws CONFLICT when it is newer. */
export function admitted(
  { created, version }: Pick<BundleInfo, 'created' | 'version'>,
  directory: string,
  { acceptOlder = false }: InstallOptions,
): InstalledBundle | undefined {
  const path = bundleIn(directory)
  const there = infoOf(path)
  if (!there) return undefined
  if (there.created === created && there.version === version) return { path, info: there, unchanged: true }
  if (acceptOlder || Date.parse(created) >= Date.parse(there.created)) return undefined
  throw new BaleError(
    'CONFLICT',
    `the bundle of advisories of ${created} is older than the one in ${directory}, which is of ${there.created}`,
    {
      hint: 'an older bundle knows fewer vulnerabilities, so it is taken only on request',
      details: { created, installed: there.created },
    },
  )
}

/** Undefined when there is none, and for one that cannot be read: any other is better. */
function infoOf(path: string): BundleInfo | undefined {
  try {
    using bundle = openBundle(path)
    return bundle.info
  } catch (error) {
    if (['PATH_NOT_FOUND', 'INVALID_ARCHIVE', 'UNSUPPORTED'].some((code) => isBaleError(error) && error.code === code))
      return undefined
    throw error
  }
}
