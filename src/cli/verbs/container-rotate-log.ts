import { defineVerb } from '../verb/verb.ts'

export const verb = defineVerb({
  name: 'container rotate-log',
  summary: "Rotate a container's log when it exceeds its limit (called by what watches its size)",
  usage: 'CONTAINER',
  arguments: { min: 1, max: 1 },
  options: [],
  examples: [{ command: 'bale container rotate-log 3f5c…', explains: 'Does nothing below the limit' }],
  async run({ args, engine }) {
    await engine.containers.rotateLog(args[0]!)
    return 0
  },
})
