import { parseLabels, parseOptions } from '../flags/flag-values.ts'
import { defineVerb } from '../verb/verb.ts'

export const verb = defineVerb({
  name: 'volume create',
  summary: 'Create a volume',
  usage: '[NAME]',
  arguments: { max: 1 },
  options: [
    { flags: '-d, --driver <NAME>', description: 'Driver; only local is supported', default: 'local' },
    { flags: '--label <KEY=VALUE>', description: 'Label', repeat: true },
    {
      flags: '-o, --opt <KEY=VALUE>',
      description: 'Driver option: type, device and o, as for mount(8)',
      repeat: true,
    },
  ],
  examples: [{ command: 'bale volume create data', explains: 'Mount it with -v data:/var/lib/data' }],
  async run({ args, options, engine, io }) {
    const { Name } = await engine.volumes.create({
      name: args[0] || undefined,
      driver: options.driver,
      labels: parseLabels(options.label ?? []),
      options: parseOptions('opt', options.opt ?? []),
    })
    await io.print(Name)
    return 0
  },
})
