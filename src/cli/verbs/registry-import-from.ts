import { defineVerb } from '../verb/verb.ts'
import { LOCAL_PLACE_OPTIONS, openLocalAdmin } from './registry.ts'

export const verb = defineVerb({
  name: 'registry import-from',
  summary: 'Take over all images of a docker-registry from its files, even while the registry is served',
  usage: 'DIR',
  arguments: { min: 1, max: 1 },
  options: [
    ...LOCAL_PLACE_OPTIONS,
    { flags: '--dry-run', description: 'Show what would be taken over and what not; bytes of blobs are not hashed' },
  ],
  examples: [
    {
      command: 'bale registry import-from --dry-run /var/lib/docker-registry',
      explains: 'DIR is storage.filesystem.rootdirectory in the configuration of the docker-registry',
    },
    {
      command: 'bale registry import-from /var/lib/docker-registry',
      explains: 'Again: takes over what is new; exits with 1 if something could not be taken over',
    },
  ],
  async run({ args, options, engine, io, signal }) {
    await using admin = await openLocalAdmin(options, engine, io)
    const { dryRun } = options
    if (dryRun) await io.print('Nothing is changed. An import would bring:')
    const imported = await admin.importFrom(args[0]!, {
      signal,
      dryRun,
      skipped: (thing, reason) => io.warn(`${thing}: ${reason}`),
      repository: (name, { manifests, tags }) =>
        io.print(`${name}: ${counted(manifests.all, 'manifest')}, ${counted(tags.all, 'tag')}`),
    })
    const { repositories, manifests, tags, blobs, skipped } = imported
    await io.print(`Repositories: ${repositories}`)
    await io.print(`Manifests: ${manifests.all}, ${manifests.new} of them new`)
    await io.print(`Tags: ${tags.all}, ${tags.new} of them new`)
    await io.print(`Blobs: ${blobs.all} (${blobs.bytes} bytes), ${blobs.new} of them new`)
    await io.print(`Skipped: ${skipped}`)
    return skipped > 0 ? 1 : 0
  },
})

function counted(number: number, word: string): string {
  return `${number} ${word}${number === 1 ? '' : 's'}`
}
