import { alignColumns } from '../render/align-columns.ts'
import { defineVerb } from '../verb/verb.ts'
import { openAdmin, PLACE_OPTIONS } from './registry.ts'

export const verb = defineVerb({
  name: 'registry repo ls',
  summary: 'List the repositories of a registry, and who may pull from them',
  arguments: { max: 0 },
  options: [...PLACE_OPTIONS, { flags: '--patterns', description: 'List the patterns that were published instead' }],
  examples: [{ command: 'bale registry repo ls', explains: 'Private ones are for those with rights' }],
  async run({ options, engine, io }) {
    await using admin = await openAdmin(options, engine, io)
    if (options.patterns) {
      for (const pattern of await admin.visibility.list()) await io.print(pattern)
      return 0
    }
    const rows = ['NAME\tVISIBILITY']
    for await (const { name, isPublic } of admin.visibility.repositories()) {
      rows.push(`${name}\t${isPublic ? 'public' : 'private'}`)
    }
    await io.print(alignColumns(rows.join('\n')))
    return 0
  },
})
