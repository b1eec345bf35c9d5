import { defineVerb } from '../verb/verb.ts'

export const verb = defineVerb({
  name: 'manifest annotate',
  summary: 'Set the platform of an image in a manifest list',
  usage: 'LIST IMAGE',
  arguments: { min: 2, max: 2 },
  options: [
    { flags: '--os <OS>', description: 'Operating system' },
    { flags: '--arch <ARCH>', description: 'Architecture' },
    { flags: '--variant <VARIANT>', description: 'Variant of the architecture' },
    { flags: '--os-version <VERSION>', description: 'Version of the operating system' },
    { flags: '--os-features <FEATURE>', description: 'Required feature of the operating system', repeat: true },
  ],
  examples: [
    { command: 'bale manifest annotate web:1 web:1-arm --arch arm --variant v7', explains: 'Set the ARM variant' },
  ],
  async run({ args, options, engine }) {
    const { os, arch, variant, osVersion, osFeatures } = options
    const change = { os, architecture: arch, variant, osVersion, osFeatures }
    await engine.registries.annotateList(args[0]!, args[1]!, change)
    return 0
  },
})
