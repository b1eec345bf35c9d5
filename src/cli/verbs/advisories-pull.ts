import { installedText } from '../render/bundle-text.ts'
import { createProgressView } from '../render/progress.ts'
import { defineVerb } from '../verb/verb.ts'

export const verb = defineVerb({
  name: 'advisories pull',
  summary: 'Fetch a bundle of advisories from a registry',
  usage: 'NAME[:TAG|@DIGEST]',
  arguments: { min: 1, max: 1 },
  options: [
    {
      flags: '--key <FILE>',
      description: 'Public key (PEM) that must have signed it; one of several is enough',
      repeat: true,
    },
    { flags: '--accept-older', description: 'Also take a bundle that is older than the one that is here' },
    { flags: '-q, --quiet', description: 'Do not show progress' },
  ],
  examples: [
    {
      command: 'bale advisories pull --key security.pub localhost:5000/security/advisories',
      explains: 'Only if the key signed it',
    },
  ],
  async run({ args, options, engine, io, signal }) {
    using view = createProgressView(io, { quiet: options.quiet, to: 'stderr' })
    const asked = { keys: options.key, acceptOlder: options.acceptOlder, signal, progress: view.report }
    if (!options.key)
      view.report({
        kind: 'warning',
        text: 'nobody has to have signed the bundle: its registry alone decides what is known',
      })
    await io.print(installedText(await engine.trust.pullAdvisories(args[0]!, asked)))
    return 0
  },
})
