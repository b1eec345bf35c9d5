import { parseLabels, parseOptions, parsePairs } from '../flags/flag-values.ts'
import { defineVerb } from '../verb/verb.ts'

export const verb = defineVerb({
  name: 'network create',
  summary: 'Make a network whose containers find each other by name',
  usage: 'NAME',
  arguments: { min: 1, max: 1 },
  options: [
    { flags: '-d, --driver <NAME>', description: 'Only bridge', default: 'bridge' },
    { flags: '--subnet <CIDR>', description: 'Address range; with --ipv6 one of each kind', repeat: true },
    { flags: '--gateway <ADDRESS>', description: "The bridge's own address", repeat: true },
    { flags: '--ip-range <CIDR>', description: 'Part of the subnet that containers get addresses from' },
    { flags: '--aux-address <NAME=ADDRESS>', description: 'An address that no container gets', repeat: true },
    { flags: '--ipv6', description: 'Give containers IPv6 addresses as well' },
    { flags: '--internal', description: 'No way out' },
    { flags: '--label <KEY=VALUE>', description: 'Label', repeat: true },
    {
      flags: '-o, --opt <KEY=VALUE>',
      description: 'com.docker.network.driver.mtu, .bridge.name, .bridge.enable_icc or .bridge.host_binding_ipv4',
      repeat: true,
    },
    { flags: '--attachable', description: 'For swarm; shown by inspect', hidden: true },
    { flags: '--ipam-driver <NAME>', description: 'Only default', choices: ['default'], hidden: true },
    { flags: '--ipam-opt <KEY=VALUE>', description: 'Not supported', refused: 'addresses are given by bale itself' },
    { flags: '--ingress', description: 'Not supported', refused: 'it is for swarm' },
    { flags: '--scope <SCOPE>', description: 'Only local', choices: ['local'], hidden: true },
    { flags: '--config-only', description: 'Not supported', refused: 'it is for swarm' },
    { flags: '--config-from <NETWORK>', description: 'Not supported', refused: 'it is for swarm' },
  ],
  examples: [
    { command: 'bale network create app', explains: 'Then: bale run --network app --name db …' },
    { command: 'bale network create --subnet 10.5.0.0/24 --internal back', explains: 'Own range, no way out' },
  ],
  async run({ args, options, engine, io }) {
    const id = await engine.networks.create({
      name: args[0]!,
      driver: options.driver,
      subnets: options.subnet,
      gateways: options.gateway,
      ipRange: options.ipRange,
      auxiliary: parsePairs('aux-address', options.auxAddress ?? []),
      ipv6: options.ipv6,
      internal: options.internal,
      attachable: options.attachable,
      labels: parseLabels(options.label ?? []),
      options: parseOptions('opt', options.opt ?? []),
    })
    await io.print(id)
    return 0
  },
})
