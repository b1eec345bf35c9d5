import { bundleText } from '../render/bundle-text.ts'
import { defineVerb } from '../verb/verb.ts'

export const verb = defineVerb({
  name: 'advisories inspect',
  summary: 'Show what a bundle of advisories knows, and how old it is',
  usage: '[FILE]',
  arguments: { max: 1 },
  options: [{ flags: '--format <FORMAT>', description: 'text or json', default: 'text', choices: ['text', 'json'] }],
  examples: [{ command: 'bale advisories inspect', explains: 'The bundle that scans on this machine use' }],
  async run({ args, options, engine, io }) {
    const info = await engine.trust.advisories({ file: args[0] })
    await io.print(options.format === 'json' ? JSON.stringify(info, undefined, 2) : bundleText(info))
    return 0
  },
})
