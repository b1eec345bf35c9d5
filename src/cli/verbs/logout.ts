import { defineVerb } from '../verb.ts'

export const verb = defineVerb({
  name: 'logout',
  summary: 'Forget the login for a registry',
  usage: '[REGISTRY]',
  arguments: { max: 1 },
  options: [],
  examples: [{ command: 'bale logout localhost:5000', explains: 'Without a registry: Docker Hub' }],
  async run({ args, engine, io }) {
    const { registry, known } = await engine.logout(args[0])
    await io.print(known ? `Removing login credentials for ${registry}` : `Not logged in to ${registry}`)
    return 0
  },
})
