import { installedText } from '../render/bundle-text.ts'
import { defineVerb } from '../verb/verb.ts'

export const verb = defineVerb({
  name: 'advisories import',
  summary: 'Install a bundle of advisories from a file',
  usage: 'FILE',
  arguments: { min: 1, max: 1 },
  options: [{ flags: '--accept-older', description: 'Also take a bundle that is older than the one that is here' }],
  examples: [{ command: 'bale advisories import bundle.sqlite', explains: 'Built on a machine with a network' }],
  async run({ args, options, engine, io, signal }) {
    const { acceptOlder } = options
    await io.print(installedText(await engine.trust.importAdvisories(args[0]!, { acceptOlder, signal })))
    return 0
  },
})
