import type { Inventory, InventoryPackage } from '#trust/inventory'
import { purlOf } from '#trust/sbom'

/** Tells the package URLs of an inventory's packages; one package has many findings. */
export function purlsIn({ system }: Inventory): (found: InventoryPackage) => string | undefined {
  const known = new Map<InventoryPackage, string | undefined>()
  return (found) => {
    if (!known.has(found)) known.set(found, purlOf(found, system))
    return known.get(found)
  }
}
