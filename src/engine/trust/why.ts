import { tmpdir } from 'node:os'
import {
  type FoundFile,
  findFile,
  type Inventory,
  type InventoryLayer,
  type InventoryPackage,
  layersOf,
} from '#trust/inventory'
import { type Finding, matchInventory } from '#trust/match'
import type { EngineContext } from '../context/context.ts'
import { type AdvisoryOptions, openAdvisories } from './advisories.ts'
import { type ImagePlaceOptions, openImage } from './image-place.ts'
import { inventoryOf } from './scan.ts'

/** Where one path of an image comes from. */
export interface PathOrigin extends FoundFile {
  name: string
  /** Of the whole image: `history` counts in these. */
  layers: readonly InventoryLayer[]
  /** Packages that installed it, or that it proves. */
  packages: readonly InventoryPackage[]
  /** What is known of the vulnerabilities of those. */
  findings: readonly Finding[]
}

/** What `why` needs besides the image and the path. */
export type WhyOptions = ImagePlaceOptions & AdvisoryOptions

/** The layer, the step and the package that brought a path of an image, and what is known of the package. */
export async function originOf(
  context: EngineContext,
  text: string,
  path: string,
  options: WhyOptions = {},
): Promise<PathOrigin> {
  await using image = await openImage(context, text, options)
  const inventory = await inventoryOf(context, image, options)
  const layers = await layersOf(image.source, image.manifest, {
    temporary: tmpdir(),
    layerAtHand: (diffId) => image.layerAtHand(diffId),
    signal: options.signal,
  })
  const found = await findFile(layers, path, { signal: options.signal })
  const packages = packagesOf(inventory, found)
  await using advisories = await openAdvisories(context, inventory, options)
  const today = new Date(context.clock.now()).toISOString().slice(0, 10)
  const { findings } = matchInventory({ ...inventory, packages }, advisories, { today })
  return { name: image.name, ...found, layers: inventory.layers, packages, findings }
}

function packagesOf({ packages }: Inventory, { path, owners }: FoundFile): InventoryPackage[] {
  const isOwner = (one: InventoryPackage) =>
    (one.type === 'deb' || one.type === 'apk' || one.type === 'rpm') && owners.includes(one.name)
  return packages.filter((one) => one.path === path || isOwner(one))
}
