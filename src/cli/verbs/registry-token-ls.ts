import { alignColumns } from '../render/align-columns.ts'
import { defineVerb } from '../verb/verb.ts'
import { openAdmin, PLACE_OPTIONS } from './registry.ts'
import { tokenRow } from './registry-accounts.ts'

export const verb = defineVerb({
  name: 'registry token ls',
  summary: 'List the access tokens of a user or robot',
  usage: 'ACCOUNT',
  arguments: { min: 1, max: 1 },
  options: PLACE_OPTIONS,
  examples: [
    { command: 'bale registry token ls ann', explains: 'What each may do, when it ends, and when it was used' },
  ],
  async run({ args, options, engine, io }) {
    await using admin = await openAdmin(options, engine, io)
    const rows = (await admin.accessTokens.list(args[0]!)).map(tokenRow)
    await io.print(alignColumns(['LABEL\tROLE\tREPOSITORIES\tCREATED\tEXPIRES\tUSED', ...rows].join('\n')))
    return 0
  },
})
