import { parseLabels, parsePairs } from '../flags/flag-values.ts'
import { defineVerb } from '../verb.ts'

interface Options {
  driver: string
  subnet?: string
  gateway?: string
  internal?: boolean
  label?: string[]
  opt?: string[]
}

export const verb = defineVerb<Options>({
  name: 'network create',
  summary: 'Make a network whose containers find each other by name',
  usage: 'NAME',
  arguments: { min: 1, max: 1 },
  options: [
    { flags: '-d, --driver <NAME>', description: 'Only bridge', default: 'bridge' },
    { flags: '--subnet <CIDR>', description: 'Address range' },
    { flags: '--gateway <ADDRESS>', description: "The bridge's own address" },
    { flags: '--internal', description: 'No way out' },
    { flags: '--label <KEY=VALUE>', description: 'Label', repeat: true },
    { flags: '-o, --opt <KEY=VALUE>', description: 'mtu=1400, isolate=true', repeat: true },
    { flags: '--ipv6', description: 'IPv6', refused: 'networks are IPv4 so far' },
    { flags: '--ip-range <CIDR>', description: 'Part of the range', refused: 'use a smaller --subnet' },
    { flags: '--attachable', description: 'For swarm', hidden: true },
  ],
  examples: [
    { command: 'bale network create app', explains: 'Then: bale run --network app --name db …' },
    { command: 'bale network create --subnet 10.5.0.0/24 --internal back', explains: 'Own range, no way out' },
  ],
  async run({ args, options, engine, io }) {
    const id = await engine.createNetwork({
      name: args[0]!,
      driver: options.driver,
      subnet: options.subnet,
      gateway: options.gateway,
      internal: options.internal,
      labels: parseLabels(options.label ?? []),
      options: parsePairs('opt', options.opt ?? []),
    })
    await io.print(id)
    return 0
  },
})
