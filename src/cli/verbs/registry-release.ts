import { defineVerb } from '../verb/verb.ts'
import { openAdmin, PLACE_OPTIONS, reasonOf, repositoryIn } from './registry.ts'

export const verb = defineVerb({
  name: 'registry release',
  summary: 'Have a registry give an image out although its gates block it',
  usage: 'REPOSITORY:TAG|REPOSITORY@DIGEST',
  arguments: { min: 1, max: 1 },
  options: [
    ...PLACE_OPTIONS,
    { flags: '--reason <TEXT>', description: 'Why; mandatory, and on record' },
    { flags: '--end', description: 'Take the release back instead: gates alone judge the image again' },
  ],
  examples: [
    {
      command: "bale registry release team/web:1.2 --reason 'an older one is worse'",
      explains: 'What the tag points to now, until the release is taken back; also out of quarantine',
    },
  ],
  async run({ args, options, engine, io }) {
    const [name, reason] = [args[0]!, reasonOf(options.reason)]
    await using admin = await openAdmin(options, engine, io)
    const digest = await (options.end
      ? admin.images.clear(name, reason, { kind: 'released' })
      : admin.images.release(name, reason))
    await io.print(`${repositoryIn(name)}@${digest}`)
    return 0
  },
})
