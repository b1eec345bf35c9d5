/**
 * Copies an image from one registry to another without a store; blobs that the target has are not sent again:
 * `copy-between-registries.ts SOURCE TARGET`, for example `docker.io/library/debian:12 localhost:5000/debian:12`.
 */
import { copyImage } from 'bale/image'
import { parseReference, withDefaultTag } from 'bale/spec'
import { createCredentialStore, openRepository } from 'bale/transport'

const [source, target] = process.argv.slice(2).map((text) => withDefaultTag(parseReference(text)))
if (!source || !target) throw new Error('usage: copy-between-registries.ts SOURCE TARGET')

// Logins are read where docker keeps them.
const credentials = createCredentialStore({
  dockerConfigFile: `${process.env['DOCKER_CONFIG'] ?? `${process.env['HOME']}/.docker`}/config.json`,
  helperPath: process.env['PATH'] ?? '',
  env: process.env,
})
await using from = openRepository(source, { credentials })
await using to = openRepository(target, { credentials })
const { descriptor, copiedBytes } = await copyImage(from, to, {
  name: source.digest ?? source.tag,
  targetName: target.tag,
  all: true,
})
console.log(`${descriptor.digest}: ${copiedBytes} bytes were copied`)
