/**
 * A store as short processes use it, one after the other: what is taken in is held until an image is whole, which ends the
 * operation and begins the next one.
 */
import type { LayerIntake, Layers, Store, StoreOperation, StoreOptions } from '../../src/store/index.ts'
import { openStore } from '../../src/store/index.ts'

export type OperatingStore = Omit<Store & StoreOperation, 'layers'> & { layers: Layers & LayerIntake }

export async function openOperatingStore(options: StoreOptions): Promise<OperatingStore> {
  const store = await openStore(options)
  const begin = () => store.operation({ purpose: 'test' })
  let operation = begin()
  const ending = async <T>(result: Promise<T>): Promise<T> => {
    try {
      return await result
    } finally {
      await operation[Symbol.asyncDispose]()
      operation = begin()
    }
  }
  return {
    ...store,
    hold: (...given) => operation.hold(...given),
    putBlob: (...given) => operation.putBlob(...given),
    pin: (...given) => operation.pin(...given),
    tag: (...given) => operation.tag(...given),
    putManifest: (...given) => ending(operation.putManifest(...given)),
    putImage: (...given) => ending(operation.putImage(...given)),
    layers: {
      ...store.layers,
      write: (...given) => operation.layers.write(...given),
      writeWith: (...given) => operation.layers.writeWith(...given),
      compressed: (...given) => operation.layers.compressed(...given),
      discard: (...given) => operation.layers.discard(...given),
    },
  }
}
