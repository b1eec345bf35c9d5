import { BaleError } from '#base'
import { parseBytes } from '../flags/flag-values.ts'
import { defineVerb } from '../verb/verb.ts'
import { openAdmin, PLACE_OPTIONS } from './registry.ts'

export const verb = defineVerb({
  name: 'registry quota set',
  summary: 'Limit what repositories of a registry may hold',
  usage: 'PATTERN',
  arguments: { min: 1, max: 1 },
  options: [
    ...PLACE_OPTIONS,
    { flags: '--bytes <SIZE>', description: 'Most bytes of blobs, manifests and unfinished uploads: 500m, 20g' },
    { flags: '--tags <NUMBER>', description: 'Most tags' },
    { flags: '--repositories <NUMBER>', description: 'Most repositories' },
  ],
  examples: [
    {
      command: "bale registry quota set 'acme/**' --bytes 20g --repositories 50",
      explains: 'What the organisation or user acme has may grow to that; a push that needs more is refused',
    },
    { command: 'bale registry quota set acme/web --tags 500', explains: 'Of one repository' },
  ],
  async run({ args, options, engine, io }) {
    const { bytes, tags, repositories } = options
    const limits = {
      bytes: bytes === undefined ? undefined : parseBytes('--bytes', bytes),
      tags: tags === undefined ? undefined : numberOf('--tags', tags),
      repositories: repositories === undefined ? undefined : numberOf('--repositories', repositories),
    }
    await using admin = await openAdmin(options, engine, io)
    await admin.quotas.set(args[0]!, limits)
    await io.print(args[0]!)
    return 0
  },
})

function numberOf(flag: string, text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw new BaleError('INVALID_ARGUMENT', `${flag} takes a whole number, not ${text}`)
}
