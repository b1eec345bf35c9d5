import { BaleError } from '#base'
import { parsePeriod } from '../flags/period.ts'
import { defineVerb } from '../verb/verb.ts'
import { openAdmin, PLACE_OPTIONS } from './registry.ts'

export const verb = defineVerb({
  name: 'registry policy keep',
  summary: 'Keep some tags of repositories, and have collections remove the others',
  usage: 'PATTERN',
  arguments: { min: 1, max: 1 },
  options: [
    ...PLACE_OPTIONS,
    { flags: '--last <NUMBER>', description: 'Keep the tags that were pushed last, so many of each repository' },
    { flags: '--within <PERIOD>', description: 'Keep tags that were pushed within this period: 30d, 12h' },
    { flags: '--tags <TAGS>', description: 'Keep these tags always; may be given several times', repeat: true },
  ],
  examples: [
    {
      command: "bale registry policy keep 'team/*' --last 10 --within 30d --tags latest --tags 'v*'",
      explains: 'A tag stays when one of these keeps it; bale registry policy try tells what goes',
    },
  ],
  async run({ args, options, engine, io }) {
    const { last, within, tags } = options
    const what = {
      last: last === undefined ? undefined : wholeNumber(last),
      within: within === undefined ? undefined : parsePeriod('--within', within),
      tags,
    }
    await using admin = await openAdmin(options, engine, io)
    await io.print(String(await admin.policies.keep(args[0]!, what)))
    return 0
  },
})

function wholeNumber(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text)
  throw new BaleError('INVALID_ARGUMENT', `--last takes a number of tags from 1 on, not ${text}`)
}
