/**
 * A child process for a test: loads two layers at once, again and again, every fourth time with new threads, in two stores at once. Arguments:
 * directory, loads. Needs --expose-gc, as bin/bale gives it. Prints `done` with the number of layers.
 */
import { join } from 'node:path'
import { removeTree } from '#host/file'
import { openStore, type StoreOperation } from '#store'
import { tarLayerFormats } from './tar-layer-formats.ts'

const [directory, loads] = process.argv.slice(2) as [string, string]
const zeros = Buffer.alloc(1 << 20)
const EACH = 4

/** The first layers of a store are enough for each new thread to sweep its buffers once; each layer is another one. */
async function* tar(name: string, megabytes: number): AsyncGenerator<Uint8Array> {
  yield Buffer.from(name)
  for (let index = 0; index < megabytes; index++) yield zeros
}

const load = (operation: StoreOperation, round: number) =>
  Promise.all(['a', 'b'].map((name) => operation.layers.write(tar(`${name} ${round}`, round === 0 ? 7 : 2))))

async function loadMany(root: string): Promise<number> {
  const store = await openStore({ root, run: join(root, 'run'), layerFormats: tarLayerFormats })
  const operation = store.operation({ purpose: 'test' })
  let layers = 0
  try {
    for (let round = 0; round < EACH; round++) layers += (await load(operation, round)).length
  } finally {
    await store[Symbol.asyncDispose]()
    await removeTree(root)
  }
  return layers
}

let layers = 0
for (let index = 0; index < Number(loads) / EACH; index += 2)
  for (const count of await Promise.all([index, index + 1].map((one) => loadMany(join(directory, `${one}`)))))
    layers += count
console.log('done', layers)
