import { defineVerb } from '../verb/verb.ts'

export const verb = defineVerb({
  name: 'tag',
  summary: 'Add a name to an image',
  usage: 'IMAGE NAME[:TAG]',
  arguments: { min: 2, max: 2 },
  options: [],
  examples: [
    {
      command: 'bale tag webserver:latest quay.example/ann/webserver:latest',
      explains: 'Before a push: the name selects the registry',
    },
  ],
  async run({ args, engine }) {
    await engine.images.tag(args[0]!, args[1]!)
    return 0
  },
})
