import { defineVerb } from '../verb/verb.ts'

export const verb = defineVerb({
  name: 'network disconnect',
  summary: 'Take a container off a network',
  usage: 'NETWORK CONTAINER',
  arguments: { min: 2, max: 2 },
  options: [{ flags: '-f, --force', description: 'Taken; nothing needs force here' }],
  examples: [{ command: 'bale network disconnect back web', explains: 'Its other networks stay as they are' }],
  async run({ args, engine }) {
    const [network = '', container = ''] = args
    await engine.networks.disconnect(network, container)
    return 0
  },
})
