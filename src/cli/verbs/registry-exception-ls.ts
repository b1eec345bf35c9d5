import { printable } from '#base'
import { alignColumns } from '../render/align-columns.ts'
import { localRfc3339 } from '../render/local-time.ts'
import { defineVerb } from '../verb/verb.ts'
import { openAdmin, PLACE_OPTIONS } from './registry.ts'

export const verb = defineVerb({
  name: 'registry exception ls',
  summary: 'List the vulnerabilities that the gates of a registry do not count',
  arguments: { max: 0 },
  options: PLACE_OPTIONS,
  examples: [
    {
      command: 'bale registry exception ls',
      explains: 'Who made each of them, why, and until when; those that expired less than 30 days ago too',
    },
  ],
  async run({ options, engine, io }) {
    await using admin = await openAdmin(options, engine, io)
    const rows = (await admin.exceptions.list()).map(
      ({ id, vulnerability, package: of = 'all', pattern, expiresAt, author, reason }) =>
        [id, printable(vulnerability), printable(of), pattern, localRfc3339(expiresAt), author, printable(reason)].join(
          '\t',
        ),
    )
    await io.print(alignColumns(['ID\tVULNERABILITY\tPACKAGE\tREPOSITORIES\tEXPIRES\tBY\tREASON', ...rows].join('\n')))
    return 0
  },
})
