import { posix } from 'node:path'
import { bytewise } from '#base'
import { chooseSystem } from '../distributions/index.ts'
import type { Gap, InventoryPackage, OperatingSystem, PackageType } from '../model.ts'
import { textOfPath } from '../path-text.ts'
import { createPathTree } from '../path-tree.ts'
import { type AnalysedImageFile, type ImageFiles, keyOfPackage } from './image-files.ts'
import { OwnedPaths } from './owned-paths.ts'

/** What the files of an image say together. */
interface ImageContents {
  readonly system?: OperatingSystem
  readonly packages: readonly InventoryPackage[]
  readonly gaps: readonly Gap[]
}

/**
 * One list of packages from all files. Packages of languages whose files a package of the distribution installed are left
 * out, since the distribution's advisories are about those; so is what a lockfile lists where it is installed.
 */
export function choosePackages(files: ImageFiles): ImageContents {
  const all = [...files.files()]
  const owned = new OwnedPaths()
  for (const [, file] of all) if (file.owned) owned.addAll(file.owned)
  const counting = all.filter(([path, { analyser }]) => !(analyser.language && owned.has(path)))
  const installed = counting.filter(([, { analyser }]) => analyser.installsInto === undefined)
  const isInstalled = installedPlaces(counting, installed)
  const chosen = counting.filter(([path, file]) => file.analyser.installsInto === undefined || !isInstalled(path, file))
  const packages = chosen.flatMap(([path, { found, broughtBy }]) =>
    (found.packages ?? []).map((one) => ({ ...one, path: textOfPath(path), layer: broughtBy.get(keyOfPackage(one))! })),
  )
  const gaps = chosen.flatMap(([path, { found }]) =>
    (found.gaps ?? []).map((gap) => ({ ...gap, where: textOfPath(gap.where || path) })),
  )
  const systems = all.flatMap(([path, { found }]) => (found.system ? [{ path, system: found.system }] : []))
  return { system: chooseSystem(systems), packages: withoutRepetition(packages), gaps: gaps.sort(byPlace) }
}

type Entry = [path: string, file: AnalysedImageFile]

/** Whether what a lockfile says is to be installed has packages of its type where it goes. */
function installedPlaces(
  counting: readonly Entry[],
  installed: readonly Entry[],
): (path: string, lockfile: AnalysedImageFile) => boolean {
  const places = createPathTree<Set<PackageType>>()
  for (const [path, { analyser }] of counting)
    if (analyser.installsInto !== undefined) places.set(placeOf(path, analyser.installsInto), new Set())
  for (const [path, { found }] of installed) {
    const types = new Set(found.packages?.map(({ type }) => type))
    for (const place of types.size > 0 ? places.above(directoryOf(path)) : []) for (const type of types) place.add(type)
  }
  return (path, { analyser, found }) => {
    const types = places.get(placeOf(path, analyser.installsInto!))!
    return found.packages?.some(({ type }) => types.has(type)) ?? false
  }
}

const placeOf = (lockfile: string, installsInto: string) => withoutDot(posix.join(directoryOf(lockfile), installsInto))
const directoryOf = (path: string) => withoutDot(posix.dirname(path))
const withoutDot = (directory: string) => (directory === '.' ? '' : directory)

/** One file may list a package twice, as archives in an archive do. */
function withoutRepetition(packages: readonly InventoryPackage[]): InventoryPackage[] {
  const unique = new Map(packages.map((one) => [`${keyOfPackage(one)}\n${one.path}`, one]))
  return [...unique.values()].sort(byIdentity)
}

const byIdentity = (a: InventoryPackage, b: InventoryPackage) =>
  bytewise(a.type, b.type) || bytewise(a.name, b.name) || bytewise(a.version, b.version) || bytewise(a.path, b.path)

const byPlace = (a: Gap, b: Gap) => bytewise(a.where, b.where) || bytewise(a.reason, b.reason)
