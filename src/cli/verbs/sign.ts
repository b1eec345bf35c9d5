import { parseLabels } from '../flags/flag-values.ts'
import { KEY_OPTIONS, keyOf } from '../flags/key-flags.ts'
import { defineVerb } from '../verb/verb.ts'

export const verb = defineVerb({
  name: 'sign',
  summary: 'Sign an image in its registry',
  usage: 'NAME[:TAG|@DIGEST]',
  arguments: { min: 1, max: 1 },
  options: [
    ...KEY_OPTIONS,
    { flags: '-a, --annotation <KEY=VALUE>', description: 'Part of what is signed', repeat: true },
    {
      flags: '--form <FORM>',
      description: 'bundle (Sigstore, as cosign 3 writes) or simple (cosign 1 and 2)',
      default: 'bundle',
      choices: ['bundle', 'simple'],
    },
    { flags: '-r, --recursive', description: 'Sign the images of an index as well' },
  ],
  examples: [
    {
      command: 'bale sign --key release.key localhost:5000/team/webserver:1',
      explains: 'The digest that the tag has now',
    },
    {
      command: 'bale sign --key env://SIGNING_KEY localhost:5000/team/webserver:1',
      explains: 'With a key of a CI service',
    },
  ],
  async run({ args, options, engine, io, signal }) {
    const key = await keyOf(options, io, signal)
    const { form, recursive } = options
    const annotations = parseLabels(options.annotation ?? [])
    const signed = await engine.trust.sign(args[0]!, { ...key, form, recursive, annotations, signal })
    for (const { name, digest } of signed) await io.print(`signed ${name} (${digest})`)
    return 0
  },
})
