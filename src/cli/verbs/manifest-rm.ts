import { defineVerb } from '../verb/verb.ts'

export const verb = defineVerb({
  name: 'manifest rm',
  summary: 'Remove local manifest lists, but not their images',
  usage: 'LIST [LIST...]',
  arguments: { min: 1 },
  options: [],
  examples: [
    { command: 'bale manifest rm localhost:5000/team/web:1', explains: 'What was pushed stays in the registry' },
  ],
  async run({ args, engine }) {
    for (const list of args) await engine.registries.removeList(list)
    return 0
  },
})
