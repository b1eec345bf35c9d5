/** Builds an image from a Dockerfile that the program writes itself: `build-from-string.ts BASE NAME`. */
import { Readable } from 'node:stream'
import { createEngine, readConfig } from 'bale'

const [base = 'busybox:latest', name = 'greeting:1'] = process.argv.slice(2)
const dockerfile = `FROM ${base}
RUN echo hello > /greeting
CMD ["cat", "/greeting"]
`

await using engine = createEngine({ config: readConfig() })
const { id } = await engine.builds.build({
  // A text instead of a tar is a Dockerfile without other files.
  context: { kind: 'stream', stream: Readable.from([Buffer.from(dockerfile)]) },
  tags: [name],
})
console.log(`${name} is ${id}`)
