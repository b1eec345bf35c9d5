import type { Digest } from '#spec'

/** What manages a package, named as the type of its package URL. Source: package-url/purl-spec, PURL-TYPES. */
export type PackageType =
  | 'deb'
  | 'apk'
  | 'rpm'
  | 'npm'
  | 'pypi'
  | 'gem'
  | 'golang'
  | 'cargo'
  | 'maven'
  | 'composer'
  | 'nuget'

/** The operating system of an image. Source: os-release(5). */
export interface OperatingSystem {
  /** `debian`, `alpine`, `rhel`. */
  readonly id: string
  /** `12`, `3.19.1`; undefined for a rolling distribution. */
  readonly version?: string
  readonly codename?: string
  /** For people: `Debian GNU/Linux 12 (bookworm)`. */
  readonly name?: string
  /** Systems that it is derived from by its own account, nearest first. */
  readonly like?: readonly string[]
}

/** A package as one file of an image proves it. */
export interface FoundPackage {
  readonly type: PackageType
  /** As its ecosystem writes it: `@scope/name`, `group:artifact`, `github.com/owner/module`. */
  readonly name: string
  /** Whole, as installed: with epoch and release for packages of a distribution. */
  readonly version: string
  readonly architecture?: string
  /**
   * The source package that it was built from, which a distribution's advisories name. Undefined when it is the package
   * itself.
   */
  readonly source?: { readonly name: string; readonly version: string }
  /** As written in the package: SPDX expressions or names. */
  readonly licences?: readonly string[]
  /** Who made the package: dpkg's Maintainer, rpm's Vendor. Shows which packages are not the distribution's own. */
  readonly vendor?: string
  /** The module stream that an rpm belongs to: `nodejs:18:8060020220523160029:ad008a3a`. */
  readonly modularity?: string
}

/** A part of an image that could not be read, so that the inventory is incomplete. */
export interface Gap {
  /** Path in the image, or the layer's digest. */
  readonly where: string
  /** In words: `the rpm database ends early`. */
  readonly reason: string
}

/** A path that a package of the distribution installed, and the name of the package. */
export type OwnedPath = readonly [path: string, name: string]

/** What an analyser found in one file. */
export interface FoundInFile {
  readonly packages?: readonly FoundPackage[]
  readonly system?: OperatingSystem
  /** The paths that packages of the distribution installed. Can be iterated once. */
  readonly owned?: Iterable<OwnedPath>
  readonly gaps?: readonly Gap[]
}

/** A package of an image: where it is, and what brought it. */
export interface InventoryPackage extends FoundPackage {
  /** The file that proves it, without a leading slash. */
  readonly path: string
  /** The index in `Inventory.layers` of the layer that brought this version. */
  readonly layer: number
}

/** A layer, and the step of the image's history that made it. */
export interface InventoryLayer {
  readonly digest: Digest
  readonly diffId: Digest
  /** The command line of the step as the history has it; undefined when the image has no history. */
  readonly createdBy?: string
}

/** What is inside one image. The same image gives the same inventory. */
export interface Inventory {
  /** Version of the analysis: another one may find other packages. */
  readonly analyser: number
  /** Of the manifest. */
  readonly manifest: Digest
  readonly system?: OperatingSystem
  /** From the bottom up. */
  readonly layers: readonly InventoryLayer[]
  /** Sorted by type, name, version and path. */
  readonly packages: readonly InventoryPackage[]
  /** Empty when everything was looked at. */
  readonly gaps: readonly Gap[]
}
