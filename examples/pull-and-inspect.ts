/** Pulls an image and prints what it is made of: `pull-and-inspect.ts NAME`. */
import { createEngine, readConfig } from 'bale'

const [name = 'debian:12'] = process.argv.slice(2)
await using engine = createEngine({ config: readConfig() })

const [pulled] = await engine.images.pull(name)
const { Id, Architecture, Config, RootFS } = await engine.images.inspect(name)
console.log(`${pulled!.name} is ${Id}`)
console.log(`architecture ${Architecture}, command ${JSON.stringify(Config?.Cmd ?? null)}`)
for (const layer of RootFS.Layers ?? []) console.log(`layer ${layer}`)
