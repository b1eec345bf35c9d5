import { readInteger } from '#docker'
import { parseOptions } from '../flags/flag-values.ts'
import { defineVerb } from '../verb/verb.ts'

export const verb = defineVerb({
  name: 'network connect',
  summary: 'Connect a container to a network',
  usage: 'NETWORK CONTAINER',
  arguments: { min: 2, max: 2 },
  options: [
    { flags: '--alias <NAME>', description: 'Another name of the container on this network', repeat: true },
    { flags: '--driver-opt <KEY=VALUE>', description: 'None is known', repeat: true },
    {
      flags: '--gw-priority <NUMBER>',
      description: 'The default route goes through the network with the highest one',
      check: readInteger,
    },
    { flags: '--ip <ADDRESS>', description: 'IPv4 address on this network' },
    { flags: '--ip6 <ADDRESS>', description: 'IPv6 address on this network' },
    {
      flags: '--link <CONTAINER>',
      description: 'Not supported',
      refused: 'containers of a network find each other by name: use --alias',
    },
    {
      flags: '--link-local-ip <ADDRESS>',
      description: 'Not supported',
      refused: 'networks do not assign such addresses',
    },
  ],
  examples: [
    { command: 'bale network connect back web', explains: 'Takes effect at once if web runs, and at every start' },
    { command: 'bale network connect --alias db --ip 10.5.0.9 back store', explains: 'With an alias and an address' },
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
