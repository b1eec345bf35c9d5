import { defineVerb } from '../verb/verb.ts'

export const verb = defineVerb({
  name: 'rename',
  summary: 'Rename a container',
  usage: 'CONTAINER NEW_NAME',
  arguments: { min: 2, max: 2 },
  options: [],
  examples: [{ command: 'bale rename web old-web', explains: 'The container keeps running' }],
  async run({ args, engine }) {
    await engine.containers.rename(args[0]!, args[1]!)
    return 0
  },
})
