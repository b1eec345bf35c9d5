import { eachName } from '../verb/each-name.ts'
import { defineVerb } from '../verb/verb.ts'

export const verb = defineVerb({
  name: 'wait',
  summary: 'Wait until containers stop, then print their exit codes',
  usage: 'CONTAINER [CONTAINER...]',
  arguments: { min: 1 },
  options: [],
  examples: [{ command: 'bale wait job', explains: 'Prints 0 if it succeeded' }],
  run: ({ args, engine, io, signal }) =>
    eachName(io, args, async (name) => String(await engine.containers.wait(name, { signal })), { together: true }),
})
