import { defineVerb } from '../verb/verb.ts'
import { openAdmin, PLACE_OPTIONS } from './registry.ts'

export const verb = defineVerb({
  name: 'registry org add',
  summary: 'Add an organisation to a registry',
  usage: 'NAME',
  arguments: { min: 1, max: 1 },
  options: [
    ...PLACE_OPTIONS,
    { flags: '--owner <USER>', description: 'A user who may do everything in its repositories' },
    { flags: '--adopt', description: 'Also take over repositories and rights that exist below NAME' },
  ],
  examples: [
    {
      command: 'bale registry org add --owner ann acme',
      explains: 'Repositories of acme are acme/…; ann is their admin',
    },
  ],
  async run({ args, options, engine, io }) {
    await using admin = await openAdmin(options, engine, io)
    await admin.organisations.add(args[0]!, { owner: options.owner, adopt: options.adopt })
    await io.print(args[0]!)
    return 0
  },
})
