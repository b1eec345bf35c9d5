import { defineVerb } from '../verb/verb.ts'

export const verb = defineVerb({
  name: 'container cleanup',
  summary: 'Clean up after a container that has stopped (called by its monitor)',
  usage: 'CONTAINER',
  arguments: { min: 1, max: 1 },
  options: [],
  examples: [{ command: 'bale container cleanup 3f5c…', explains: 'Does nothing while the container runs' }],
  async run({ args, engine }) {
    await engine.containers.cleanup(args[0]!)
    return 0
  },
})
