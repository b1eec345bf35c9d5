import { readSecret } from '../terminal/ask.ts'
import { defineVerb } from '../verb/verb.ts'
import { openAdmin, PLACE_OPTIONS } from './registry.ts'

export const verb = defineVerb({
  name: 'registry hook add',
  summary: 'Have a registry tell a URL of what changes, and print the secret that signs it',
  usage: 'NAME URL',
  arguments: { min: 2, max: 2 },
  options: [
    ...PLACE_OPTIONS,
    { flags: '--repositories <PATTERN>', description: 'Only what happens in these repositories; ** by default' },
    {
      flags: '--event <EVENT>',
      description: 'What is told, as the audit log names it: tag.set, manifest.*; may be given several times',
      repeat: true,
    },
    { flags: '--secret-stdin', description: 'Read the secret from standard input, in place of a new one' },
  ],
  examples: [
    {
      command: "bale registry hook add --repositories 'team/**' scanner https://scanner.example/bale",
      explains: 'What happens to tags and manifests below team; the secret is shown once',
    },
    {
      command: "bale registry hook add --event 'user.*' --event 'grant.*' rights https://log.example/",
      explains: 'Changes of users and rights',
    },
  ],
  async run({ args, options, engine, io }) {
    const [name, url] = args as [string, string]
    const { repositories: pattern, event, secretStdin } = options
    const given = secretStdin ? await readSecret(io) : undefined
    await using admin = await openAdmin(options, engine, io)
    const events = event && event.length > 0 ? event : undefined
    const secret = await admin.hooks.add(name, { url, pattern, events, secret: given })
    await io.print(given === undefined ? secret : name)
    return 0
  },
})
