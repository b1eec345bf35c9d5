import { BaleError } from '#base'
import { parsePeriod } from '../flags/period.ts'
import { defineVerb } from '../verb/verb.ts'
import { openAdmin, PLACE_OPTIONS } from './registry.ts'

export const verb = defineVerb({
  name: 'registry exception add',
  summary: 'Have the gates of a registry not count a vulnerability for a time',
  usage: 'VULNERABILITY',
  arguments: { min: 1, max: 1 },
  options: [
    ...PLACE_OPTIONS,
    { flags: '--repositories <PATTERN>', description: 'In which repositories; mandatory, ** for all' },
    { flags: '--reason <TEXT>', description: 'Why it does not count; mandatory' },
    {
      flags: '--expires <TIME>',
      description: 'When it counts again, at most a year from now; mandatory: 90d, or the day 2026-12-31 (UTC)',
    },
    {
      flags: '--package <TYPE/NAME>',
      description: 'Only in this package, or in all that were built from it: deb/libssl3, deb/openssl, npm/@scope/name',
    },
  ],
  examples: [
    {
      command:
        "bale registry exception add CVE-2024-3094 --repositories 'team/**' --expires 90d --reason 'sshd is not started'",
      explains: 'By its id or an alias; prints the ID of the exception',
    },
  ],
  async run({ args, options, engine, io }) {
    const { package: of } = options
    const pattern = given('--repositories', options.repositories)
    const reason = given('--reason', options.reason)
    const lasts = lastsOf(given('--expires', options.expires))
    await using admin = await openAdmin(options, engine, io)
    await io.print(String(await admin.exceptions.add(args[0]!, { pattern, package: of, reason, lasts })))
    return 0
  },
})

function given(flag: string, value: string | undefined): string {
  if (value !== undefined) return value
  throw new BaleError('INVALID_ARGUMENT', `an exception needs ${flag}`, {
    hint: 'it is for certain repositories, for a reason, and for a time',
  })
}

/** Milliseconds from now. */
function lastsOf(text: string): number {
  if (!/^\d{4}-/.test(text)) return parsePeriod('--expires', text)
  const day = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(text) : Number.NaN
  const isDay = !Number.isNaN(day) && new Date(day).toISOString().startsWith(text)
  if (isDay && day > Date.now()) return day - Date.now()
  if (isDay) throw new BaleError('INVALID_ARGUMENT', `--expires takes a day that is still to come, not ${text}`)
  throw new BaleError('INVALID_ARGUMENT', `--expires takes a period or a day, not ${text}`, {
    hint: 'for example 90d or 2026-12-31',
  })
}
