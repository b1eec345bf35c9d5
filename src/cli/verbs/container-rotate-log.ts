import { defineVerb } from '../verb/verb.ts'

export const verb = defineVerb({
  name: 'container rotate-log',
  summary: "Put a container's log aside when it is above its limit (whoever watches its size calls this)",
  usage: 'CONTAINER',
  arguments: { min: 1, max: 1 },
  options: [],
  examples: [{ command: 'bale container rotate-log 3f5c…', explains: 'Does nothing below the limit' }],
  async run({ args, engine }) {
    await engine.containers.rotateLog(args[0]!)
    return 0
  },
})
