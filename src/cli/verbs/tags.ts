import { defineVerb } from '../verb/verb.ts'

export const verb = defineVerb({
  name: 'tags',
  summary: 'List the tags of a repository in its registry',
  usage: 'NAME',
  arguments: { min: 1, max: 1 },
  options: [],
  examples: [{ command: 'bale tags localhost:5000/team/webserver', explains: 'One tag a line' }],
  async run({ args, engine, io, signal }) {
    for (const tag of await engine.registries.tags(args[0]!, { signal })) await io.print(tag)
    return 0
  },
})
