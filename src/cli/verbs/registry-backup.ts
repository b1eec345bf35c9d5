import { BaleError } from '#base'
import { defineVerb } from '../verb/verb.ts'
import { LOCAL_PLACE_OPTIONS, openLocalAdmin } from './registry.ts'

export const verb = defineVerb({
  name: 'registry backup',
  summary: 'Copy a registry into a directory, even while it is served',
  usage: 'DIR',
  arguments: { min: 1, max: 1 },
  options: LOCAL_PLACE_OPTIONS,
  examples: [
    {
      command: 'bale registry backup /backup/registry',
      explains: 'Again: copies what is new; bale registry serve --root serves the copy',
    },
  ],
  async run({ args, options, engine, io, signal }) {
    await using admin = await openLocalAdmin(options, engine, io)
    if (!('backUp' in admin)) {
      throw new BaleError(
        'UNSUPPORTED',
        'a registry of replicas is backed up by the tools of its database and its store',
        {
          hint: 'docs/registry/scale.md tells how, while the replicas go on',
        },
      )
    }
    const { blobs, bytes, copied, damaged } = await admin.backUp(args[0]!, { signal })
    for (const digest of damaged) io.warn(`${digest} is damaged in the registry, and not in the copy`)
    await io.print(`Blobs: ${blobs} (${bytes} bytes), ${copied} of them new`)
    return damaged.length > 0 ? 1 : 0
  },
})
