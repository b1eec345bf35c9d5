import { parsePeriod } from '../flags/period.ts'
import { defineVerb } from '../verb/verb.ts'
import { openAdmin, PLACE_OPTIONS } from './registry.ts'

export const verb = defineVerb({
  name: 'registry repo rename',
  summary: 'Give a repository of a registry another name',
  usage: 'REPOSITORY NAME',
  arguments: { min: 2, max: 2 },
  options: [
    ...PLACE_OPTIONS,
    { flags: '--redirect <PERIOD>', description: 'Answer pulls by the old name for this period, too: 30d, 12h' },
  ],
  examples: [
    {
      command: 'bale registry repo rename --redirect 30d acme/web acme/site',
      explains: 'With its tags, history and policies; pushes to the old name are refused meanwhile',
    },
  ],
  async run({ args, options, engine, io }) {
    const [from, to] = args as [string, string]
    const redirect = options.redirect === undefined ? undefined : parsePeriod('--redirect', options.redirect)
    await using admin = await openAdmin(options, engine, io)
    await admin.renames.rename(from, to, { redirect })
    await io.print(to)
    return 0
  },
})
