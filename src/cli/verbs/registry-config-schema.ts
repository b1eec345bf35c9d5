import { defineVerb } from '../verb/verb.ts'
import { loadRegistry } from './registry.ts'

export const verb = defineVerb({
  name: 'registry config schema',
  summary: 'Print the JSON Schema of configuration files',
  arguments: { max: 0 },
  options: [],
  writesData: true,
  examples: [
    {
      command: 'bale registry config schema > registry.schema.json',
      explains: 'For editors, which then complete and explain the keys',
    },
  ],
  async run({ io }) {
    const { configurationSchema } = await loadRegistry()
    await io.print(JSON.stringify(await configurationSchema(), undefined, 2))
    return 0
  },
})
