import { defineVerb } from '../verb/verb.ts'
import { openAdmin, PLACE_OPTIONS } from './registry.ts'

export const verb = defineVerb({
  name: 'registry scan',
  summary: 'Have the server of a registry look at an image again',
  usage: 'REPOSITORY:TAG|REPOSITORY@DIGEST',
  arguments: { min: 1, max: 1 },
  options: PLACE_OPTIONS,
  examples: [
    {
      command: 'bale registry scan team/web:1.2',
      explains: 'Or at all images of an index; prints how many. New images are looked at by themselves',
    },
  ],
  async run({ args, options, engine, io }) {
    await using admin = await openAdmin(options, engine, io)
    await io.print(String(await admin.scans.run(args[0]!)))
    return 0
  },
})
