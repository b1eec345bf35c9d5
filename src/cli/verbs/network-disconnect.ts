import { defineVerb } from '../verb/verb.ts'

export const verb = defineVerb({
  name: 'network disconnect',
  summary: 'Disconnect a container from a network',
  usage: 'NETWORK CONTAINER',
  arguments: { min: 2, max: 2 },
  options: [{ flags: '-f, --force', description: 'Accepted for compatibility; has no effect' }],
  examples: [{ command: 'bale network disconnect back web', explains: 'Its other networks are not affected' }],
  async run({ args, engine }) {
    const [network = '', container = ''] = args
    await engine.networks.disconnect(network, container)
    return 0
  },
})
