import { PackageURL } from 'packageurl-js'
import type { Reference } from '#spec'
import type { Inventory, InventoryPackage, OperatingSystem } from '#trust/inventory'
import { imagePurl, packageUrlOf } from '#trust/sbom'
import { isRelease } from './is-release.ts'

/** What a statement of a VEX document is about, by package URL. */
export interface Product {
  readonly url: PackageURL
  /** Versions that are meant, if the package URL has none. */
  readonly versions?: readonly string[]
  /** CPE of the only release in which it is meant. */
  readonly within?: string
  /** Parts of the product that the statement is about; undefined for the whole of it. */
  readonly parts?: readonly PackageURL[]
}

/** Products by the packages that they may be, so that a statement about 100,000 of them is not searched for each finding. */
export type Products = ReadonlyMap<string, readonly Product[]>

export function productsOf(products: Iterable<Product>): Products {
  const byKey = new Map<string, Product[]>()
  for (const product of products) {
    const key = keyOf(product.url)
    const group = byKey.get(key)
    if (group) group.push(product)
    else byKey.set(key, [product])
  }
  return byKey
}

/** Undefined for a text that is not a package URL. */
export function parsePurl(text: string | undefined): PackageURL | undefined {
  if (!text?.startsWith('pkg:')) return undefined
  try {
    return PackageURL.fromString(text)
  } catch {
    return undefined
  }
}

/** What findings of one image are compared with. */
export interface Subject {
  /** The image as a product, if it has a name in a registry; its version is the digest of the manifest. */
  readonly image: PackageURL | undefined
  readonly system: OperatingSystem | undefined
}

export function subjectOf(
  { manifest, system }: Pick<Inventory, 'manifest' | 'system'>,
  reference: Reference | undefined,
): Subject {
  return { image: parsePurl(imagePurl(reference, manifest)), system }
}

/**
 * Whether a package of the image is among the products: as itself, as what its source made, or as a part of the image. With
 * `byVersion`, only those products are looked at that name versions.
 */
export function includes(
  products: Products,
  { image, system }: Subject,
  found: InventoryPackage,
  options: { byVersion?: boolean } = {},
): boolean {
  return systemsOf(system).some((one) => includesAs(products, { image, system: one }, found, options))
}

/** What Red Hat says of a release of RHEL is taken for the CentOS made of it, as its advisories are. */
function systemsOf(system: OperatingSystem | undefined): (OperatingSystem | undefined)[] {
  return system?.id === 'centos' ? [system, { ...system, id: 'rhel' }] : [system]
}

function includesAs(
  products: Products,
  { image, system }: Subject,
  found: InventoryPackage,
  { byVersion = false }: { byVersion?: boolean },
): boolean {
  const own = [packageUrlOf(found, system), packageUrlOf(found, system, { source: true })].filter((url) => !!url)
  const named = (url: PackageURL) =>
    (products.get(keyOf(url)) ?? []).filter((one) => (!byVersion || hasVersion(one)) && matches(one, url, system))
  if (own.some((url) => named(url).some(({ parts }) => parts === undefined))) return true
  const isPart = (url: PackageURL) => own.some((one) => keyOf(one) === keyOf(url) && matches({ url }, one, system))
  return image !== undefined && named(image).some(({ parts }) => parts?.some(isPart) ?? true)
}

function hasVersion({ url, versions, parts }: Product): boolean {
  return [url, ...(parts ?? [])].some(({ version }) => version !== undefined) || versions !== undefined
}

/** Names are compared without case: in no ecosystem do the names of two current packages differ in case alone. */
function keyOf({ type, namespace, name }: PackageURL): string {
  const plain = type === 'pypi' ? name.replaceAll(/[-_.]+/g, '-') : name
  return JSON.stringify([type, namespace ?? '', plain]).toLowerCase()
}

/** Whether a product's package URL, of the same name, includes this package: each part that it states must be equal. */
function matches({ url, versions, within }: Product, own: PackageURL, system: OperatingSystem | undefined): boolean {
  if (within !== undefined && !isRelease(within, system)) return false
  const accepted = url.version === undefined ? versions : [url.version]
  if (accepted && !accepted.includes(own.version ?? '')) return false
  // A source must be named as such: a package may have the name of its source, and is only a part of what it makes.
  if (own.qualifiers?.['arch'] === 'source' && !SOURCE.has(url.qualifiers?.['arch'] ?? '')) return false
  // A digest identifies an image wherever it is.
  if (own.type === 'oci' && accepted) return true
  return Object.entries(url.qualifiers ?? {}).every(
    ([key, value]) =>
      own.qualifiers?.[key] === value ||
      key === 'download_url' ||
      (key === 'distro' && namesOf(system).includes(value)) ||
      (key === 'arch' && SOURCE.has(value) && own.qualifiers?.[key] === 'source'),
  )
}

/** As Red Hat and the others write it. */
const SOURCE: ReadonlySet<string> = new Set(['src', 'source'])

/** `debian-12`, `12`, `bookworm`: what documents call a release. */
function namesOf(system: OperatingSystem | undefined): string[] {
  if (!system) return []
  const releases = [system.version, system.codename].filter((one) => one !== undefined)
  return releases.flatMap((release) => [release, `${system.id}-${release}`])
}
