import { defineVerb } from '../verb/verb.ts'
import { openAdmin, PLACE_OPTIONS, splitTag } from './registry.ts'

export const verb = defineVerb({
  name: 'registry tag restore',
  summary: 'Set a tag of a registry back to what it pointed to once',
  usage: 'REPOSITORY:TAG DIGEST',
  arguments: { min: 2, max: 2 },
  options: PLACE_OPTIONS,
  examples: [
    {
      command: `bale registry tag restore team/web:latest sha256:${'0123456789abcdef'.repeat(4)}`,
      explains: 'Also after the tag was deleted, as long as the manifest is there; bale registry tag history tells',
    },
  ],
  async run({ args, options, engine, io }) {
    const [name, digest] = args as [string, string]
    const { repository, tag } = splitTag(name)
    await using admin = await openAdmin(options, engine, io)
    await admin.tags.restore(repository, tag, digest)
    await io.print(`${name} ${digest}`)
    return 0
  },
})
