import type { Inventory, InventoryPackage } from '#trust/inventory'

/** Finds a package's index in an inventory, also of a copy: results are kept as JSON. */
export function packageIndex({ packages }: Inventory): (found: InventoryPackage) => number | undefined {
  const places = new Map(packages.map((one, at) => [one, at]))
  const copies = new Map(packages.map((one, at) => [keyOf(one), at]))
  return (found) => places.get(found) ?? copies.get(keyOf(found))
}

function keyOf({ type, name, version, path, layer, architecture }: InventoryPackage): string {
  return JSON.stringify([type, name, version, path, layer, architecture])
}
