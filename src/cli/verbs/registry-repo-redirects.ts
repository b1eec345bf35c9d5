import { alignColumns } from '../render/align-columns.ts'
import { localRfc3339 } from '../render/local-time.ts'
import { defineVerb } from '../verb/verb.ts'
import { openAdmin, PLACE_OPTIONS } from './registry.ts'

export const verb = defineVerb({
  name: 'registry repo redirects',
  summary: 'List former names of repositories that a registry still answers, or end some',
  arguments: { max: 0 },
  options: [
    ...PLACE_OPTIONS,
    { flags: '--end <NAME>', description: 'Make this name free instead; may be given several times', repeat: true },
  ],
  examples: [
    { command: 'bale registry repo redirects', explains: 'Each with what it is called now, and until when' },
    { command: 'bale registry repo redirects --end acme/web', explains: 'Others can be pushed under the name again' },
  ],
  async run({ options, engine, io }) {
    await using admin = await openAdmin(options, engine, io)
    for (const name of options.end ?? []) {
      await admin.renames.end(name)
      await io.print(name)
    }
    if (options.end) return 0
    const rows = (await admin.renames.list()).map(({ name, to, until }) => [name, to, localRfc3339(until)].join('\t'))
    await io.print(alignColumns(['NAME\tNOW\tUNTIL', ...rows].join('\n')))
    return 0
  },
})
