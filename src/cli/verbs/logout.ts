import { warnOfVariable } from '../terminal/warn-of-variable.ts'
import { defineVerb } from '../verb/verb.ts'

export const verb = defineVerb({
  name: 'logout',
  summary: 'Log out of a registry',
  usage: '[REGISTRY]',
  arguments: { max: 1 },
  options: [],
  examples: [{ command: 'bale logout localhost:5000', explains: 'Without a registry: Docker Hub' }],
  async run({ args, engine, io }) {
    const { registry, known, failure, variable } = await engine.registries.logout(args[0])
    if (variable) warnOfVariable(io, variable)
    await io.print(known || failure ? `Removing login credentials for ${registry}` : `Not logged in to ${registry}`)
    if (failure) io.warn(`WARNING: could not erase credentials:\n${registry}: ${failure.message}`)
    return 0
  },
})
