/** A store with one operation that goes on while it is open: as a short process has it. What it takes in stays until it is closed. */
import type { LayerIntake, Layers, Store, StoreOperation, StoreOptions } from '../../src/store/index.ts'
import { openStore } from '../../src/store/index.ts'

export type OperatingStore = Omit<Store & StoreOperation, 'layers'> & { layers: Layers & LayerIntake }

export async function openOperatingStore(options: StoreOptions): Promise<OperatingStore> {
  const store = await openStore(options)
  const operation = store.operation({ purpose: 'test' })
  return {
    ...operation,
    ...store,
    layers: { ...store.layers, ...operation.layers },
  }
}
