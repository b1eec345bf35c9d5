import { alignColumns } from '../render/align-columns.ts'
import { defineVerb } from '../verb/verb.ts'
import { openAdmin, PLACE_OPTIONS } from './registry.ts'
import { grantText } from './registry-accounts.ts'

export const verb = defineVerb({
  name: 'registry robot ls',
  summary: 'List robots of a registry and their rights',
  usage: '[OWNER]',
  arguments: { max: 1 },
  options: PLACE_OPTIONS,
  examples: [{ command: 'bale registry robot ls acme', explains: 'Robots of acme alone' }],
  async run({ args, options, engine, io }) {
    await using admin = await openAdmin(options, engine, io)
    const rows = (await admin.robots.list(args[0])).map(({ name, grants }) => `${name}\t${grantText(grants)}`)
    await io.print(alignColumns(['NAME\tGRANTS', ...rows].join('\n')))
    return 0
  },
})
