import { defineVerb } from '../verb/verb.ts'

export const verb = defineVerb({
  name: 'diff',
  summary: 'Show changes to the filesystem of a container',
  usage: 'CONTAINER',
  arguments: { min: 1, max: 1 },
  options: [],
  examples: [{ command: 'bale diff web', explains: 'A added, C changed, D deleted' }],
  async run({ args, engine, io }) {
    for (const { kind, path } of await engine.containers.diff(args[0]!)) await io.print(`${kind} ${path}`)
    return 0
  },
})
