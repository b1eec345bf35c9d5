import type { InspectedManifest } from '#engine'
import { createProgressView } from '../render/progress.ts'
import { defineVerb } from '../verb/verb.ts'

export const verb = defineVerb({
  name: 'manifest inspect',
  summary: 'Show the manifest or index of an image',
  usage: 'NAME[:TAG|@DIGEST]',
  arguments: { min: 1, max: 1 },
  options: [
    { flags: '--insecure', description: 'Allow plain HTTP and untrusted certificates' },
    { flags: '-v, --verbose', description: 'Show descriptors, and every image of an index' },
  ],
  examples: [
    { command: 'bale manifest inspect debian:12', explains: 'As stored in the registry; nothing else is fetched' },
    { command: 'bale manifest inspect -v debian:12', explains: 'With the manifest of each platform' },
  ],
  async run({ args, options, engine, io, signal }) {
    using view = createProgressView(io, { to: 'stderr' })
    const found = await engine.registries.manifest(args[0]!, { ...options, signal, progress: view.report })
    await io.print(JSON.stringify(options.verbose ? verbose(found) : found.document, undefined, '\t'))
    return 0
  },
})

type Found = InspectedManifest

/** docker's members: a list gives an array, a single image an object. */
function verbose({ document, images = [] }: Found): unknown {
  const shown = images.map(({ name, descriptor, document: manifest }) => ({
    Ref: name,
    Descriptor: descriptor,
    [descriptor.mediaType.includes('.oci.') ? 'OCIManifest' : 'SchemaV2Manifest']: manifest,
  }))
  return 'manifests' in document ? shown : shown[0]
}
