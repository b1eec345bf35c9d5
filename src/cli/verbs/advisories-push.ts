import { createProgressView } from '../render/progress.ts'
import { defineVerb } from '../verb/verb.ts'

export const verb = defineVerb({
  name: 'advisories push',
  summary: 'Send a bundle of advisories to a registry',
  usage: 'NAME[:TAG]',
  arguments: { min: 1, max: 1 },
  options: [
    { flags: '--file <FILE>', description: 'The bundle; the one of this machine by default' },
    { flags: '-q, --quiet', description: 'Do not show progress' },
  ],
  examples: [
    { command: 'bale advisories push localhost:5000/security/advisories', explains: 'bale sign signs it there' },
  ],
  async run({ args, options, engine, io, signal }) {
    using view = createProgressView(io, { quiet: options.quiet, to: 'stderr' })
    const asked = { file: options.file, signal, progress: view.report }
    const { name, digest } = await engine.trust.pushAdvisories(args[0]!, asked)
    await io.print(`pushed ${name} (${digest})`)
    return 0
  },
})
