import type { Inventory, InventoryPackage } from '#trust/inventory'
import { purlOf } from '#trust/sbom'

/** Finds a package's index in an inventory, also of a copy: results are kept as JSON. */
export function packageIndex({ packages }: Inventory): (found: InventoryPackage) => number | undefined {
  const places = new Map(packages.map((one, at) => [one, at]))
  const copies = new Map(packages.map((one, at) => [keyOf(one), at]))
  return (found) => places.get(found) ?? copies.get(keyOf(found))
}

/** Tells the package URLs of an inventory's packages; one package has many findings. */
export function purlsIn({ system }: Inventory): (found: InventoryPackage) => string | undefined {
  const known = new Map<InventoryPackage, string | undefined>()
  return (found) => {
    if (!known.has(found)) known.set(found, purlOf(found, system))
    return known.get(found)
  }
}

function keyOf({ type, name, version, path, layer, architecture }: InventoryPackage): string {
  return JSON.stringify([type, name, version, path, layer, architecture])
}
