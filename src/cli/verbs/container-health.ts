import { defineVerb } from '../verb/verb.ts'

export const verb = defineVerb({
  name: 'container health',
  summary: 'Check the health of a container while it runs (called when it starts)',
  usage: 'CONTAINER',
  arguments: { min: 1, max: 1 },
  options: [],
  examples: [{ command: 'bale container health 3f5c…', explains: 'Ends when the container ends' }],
  async run({ args, engine, signal }) {
    await engine.containers.superviseHealth(args[0]!, { signal })
    return 0
  },
})
