/** Runs a command in a container, collects what it prints, and ends with its exit code: `run-and-collect.ts IMAGE COMMAND…`. */
import { createEngine, readConfig } from 'bale'

const [image, ...command] = process.argv.slice(2)
if (!image) throw new Error('usage: run-and-collect.ts IMAGE COMMAND…')

await using engine = createEngine({ config: readConfig() })
const container = await engine.containers.run({
  image,
  config: { command },
  host: { network: 'none', autoRemove: true },
})
const collected = { stdout: '', stderr: '' }
for await (const { stream, bytes } of container.attach!.output()) collected[stream] += Buffer.from(bytes).toString()
const code = await container.wait()
console.log(JSON.stringify({ code, ...collected }))
process.exitCode = code
