import { readInteger } from '#docker'
import { parseOptions } from '../flags/flag-values.ts'
import { defineVerb } from '../verb/verb.ts'

export const verb = defineVerb({
  name: 'network connect',
  summary: 'Put a container on one more network',
  usage: 'NETWORK CONTAINER',
  arguments: { min: 2, max: 2 },
  options: [
    { flags: '--alias <NAME>', description: 'Another name of the container there', repeat: true },
    { flags: '--driver-opt <KEY=VALUE>', description: 'None is known', repeat: true },
    {
      flags: '--gw-priority <NUMBER>',
      description: 'The default route goes through the network with the highest one',
      check: readInteger,
    },
    { flags: '--ip <ADDRESS>', description: 'IPv4 address there' },
    { flags: '--ip6 <ADDRESS>', description: 'IPv6 address there' },
    {
      flags: '--link <CONTAINER>',
      description: 'Not supported',
      refused: 'containers of a network find each other by name: use --alias',
    },
    { flags: '--link-local-ip <ADDRESS>', description: 'Not supported', refused: 'networks give no such addresses' },
  ],
  examples: [
    { command: 'bale network connect back web', explains: 'At once when web runs, and whenever it starts' },
    { command: 'bale network connect --alias db --ip 10.5.0.9 back store', explains: 'With a name and an address' },
  ],
  async run({ args, options, engine }) {
    const [network = '', container = ''] = args
    await engine.networks.connect(network, container, {
      aliases: options.alias,
      ipAddress: options.ip,
      ipv6Address: options.ip6,
      ...(options.gwPriority !== undefined && { gatewayPriority: readInteger(options.gwPriority) }),
      ...(options.driverOpt && { driverOptions: parseOptions('driver-opt', options.driverOpt) }),
    })
    return 0
  },
})
