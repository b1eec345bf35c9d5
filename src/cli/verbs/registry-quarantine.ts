import { defineVerb } from '../verb/verb.ts'
import { openAdmin, PLACE_OPTIONS, reasonOf, repositoryIn } from './registry.ts'

export const verb = defineVerb({
  name: 'registry quarantine',
  summary: 'Have a registry give an image out no more, whatever its gates say',
  usage: 'REPOSITORY:TAG|REPOSITORY@DIGEST',
  arguments: { min: 1, max: 1 },
  options: [
    ...PLACE_OPTIONS,
    { flags: '--reason <TEXT>', description: 'Why; mandatory, and told to whoever pulls it' },
    { flags: '--end', description: 'End the quarantine instead: gates alone judge the image again' },
  ],
  examples: [
    {
      command: "bale registry quarantine team/web:1.2 --reason 'the key of the build was stolen'",
      explains: 'What the tag points to now, by whatever tag it is pulled; prints it with its digest',
    },
    { command: "bale registry quarantine --end team/web:1.2 --reason 'looked at: harmless'", explains: 'As before it' },
  ],
  async run({ args, options, engine, io }) {
    const [name, reason] = [args[0]!, reasonOf(options.reason)]
    await using admin = await openAdmin(options, engine, io)
    const digest = await (options.end
      ? admin.images.clear(name, reason, { kind: 'quarantined' })
      : admin.images.quarantine(name, reason))
    await io.print(`${repositoryIn(name)}@${digest}`)
    return 0
  },
})
