/** Compares the layers of two images of the store: `diff-layers.ts OLD NEW`. */
import { createEngine, readConfig } from 'bale'

const [before, now] = process.argv.slice(2)
if (!before || !now) throw new Error('usage: diff-layers.ts OLD NEW')

await using engine = createEngine({ config: readConfig() })
const layersOf = async (name: string) => (await engine.images.inspect(name)).RootFS.Layers ?? []
const [old, current] = await Promise.all([layersOf(before), layersOf(now)])

for (const layer of old) if (!current.includes(layer)) console.log(`- ${layer}`)
for (const layer of current) console.log(`${old.includes(layer) ? '=' : '+'} ${layer}`)
