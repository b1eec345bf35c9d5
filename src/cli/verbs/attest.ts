import { BaleError } from '#base'
import { KEY_OPTIONS, keyOf } from '../flags/key-flags.ts'
import { defineVerb } from '../verb/verb.ts'

export const verb = defineVerb({
  name: 'attest',
  summary: 'Sign a document about an image in its registry: an SBOM, a provenance',
  usage: 'NAME[:TAG|@DIGEST]',
  arguments: { min: 1, max: 1 },
  options: [
    ...KEY_OPTIONS,
    { flags: '--type <TYPE>', description: 'cyclonedx, spdx, slsaprovenance1, vuln, openvex, or a URI' },
    { flags: '--predicate <FILE>', description: 'The document (JSON)' },
  ],
  examples: [
    {
      command:
        'bale attest --key release.key --type cyclonedx --predicate sbom.cdx.json localhost:5000/team/webserver:1',
      explains: 'Says, signed, what is in the image',
    },
  ],
  async run({ args, options, engine, io, signal }) {
    const { type, predicate } = options
    if (type === undefined || predicate === undefined)
      throw new BaleError('INVALID_ARGUMENT', '--type and --predicate say what is attested')
    const key = await keyOf(options, io, signal)
    const { name, digest } = await engine.trust.attest(args[0]!, { ...key, type, predicate, signal })
    await io.print(`attested ${name} (${digest})`)
    return 0
  },
})
