import { parseLabels, parseOptions, parsePairs } from '../flags/flag-values.ts'
import { defineVerb } from '../verb/verb.ts'

export const verb = defineVerb({
  name: 'network create',
  summary: 'Create a network whose containers find each other by name',
  usage: 'NAME',
  arguments: { min: 1, max: 1 },
  options: [
    { flags: '-d, --driver <NAME>', description: 'Driver; only bridge is supported', default: 'bridge' },
    { flags: '--subnet <CIDR>', description: 'Address range; with --ipv6, one per address family', repeat: true },
    { flags: '--gateway <ADDRESS>', description: 'Gateway address: that of the bridge itself', repeat: true },
    { flags: '--ip-range <CIDR>', description: 'Range within the subnet for container addresses' },
    { flags: '--aux-address <NAME=ADDRESS>', description: 'Address that no container gets', repeat: true },
    { flags: '--ipv6', description: 'Also give containers IPv6 addresses' },
    { flags: '--internal', description: 'Restrict external access to the network' },
    { flags: '--label <KEY=VALUE>', description: 'Label', repeat: true },
    {
      flags: '-o, --opt <KEY=VALUE>',
      description: 'com.docker.network.driver.mtu, .bridge.name, .bridge.enable_icc or .bridge.host_binding_ipv4',
      repeat: true,
    },
    { flags: '--attachable', description: 'For swarm; shown by inspect', hidden: true },
    { flags: '--ipam-driver <NAME>', description: 'Only default', choices: ['default'], hidden: true },
    { flags: '--ipam-opt <KEY=VALUE>', description: 'Not supported', refused: 'bale assigns addresses itself' },
    { flags: '--ingress', description: 'Not supported', refused: 'only swarm uses it' },
    { flags: '--scope <SCOPE>', description: 'Driver; only local is supported', choices: ['local'], hidden: true },
    { flags: '--config-only', description: 'Not supported', refused: 'only swarm uses it' },
    { flags: '--config-from <NETWORK>', description: 'Not supported', refused: 'only swarm uses it' },
  ],
  examples: [
    { command: 'bale network create app', explains: 'Then: bale run --network app --name db …' },
    {
      command: 'bale network create --subnet 10.5.0.0/24 --internal back',
      explains: 'With its own range, without external access',
    },
  ],
  async run({ args, options, engine, io }) {
    const id = await engine.networks.create({
      name: args[0]!,
      driver: options.driver,
      subnets: options.subnet?.filter(Boolean),
      gateways: options.gateway?.filter(Boolean),
      ipRange: options.ipRange,
      auxiliary: parsePairs('aux-address', (options.auxAddress ?? []).filter(Boolean)),
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
