import { defineVerb } from '../verb/verb.ts'
import { openAdmin, PLACE_OPTIONS } from './registry.ts'

export const verb = defineVerb({
  name: 'registry hook test',
  summary: 'Send a hook of a registry a test, and show the answer',
  usage: 'NAME',
  arguments: { min: 1, max: 1 },
  options: PLACE_OPTIONS,
  examples: [
    {
      command: 'bale registry hook test --config /etc/bale/registry.yaml scanner',
      explains:
        'From this machine; the file says which private addresses hooks may be at; exits with 1 if it was not taken',
    },
    { command: 'bale registry hook test --server registry.example scanner', explains: 'From the registry' },
  ],
  async run({ args, options, engine, io, signal }) {
    await using admin = await openAdmin(options, engine, io)
    const { delivered, status, failure, answer, milliseconds } = await admin.hooks.test(args[0]!, { signal })
    const said = answer === undefined ? '' : `: ${answer}`
    await io.print(delivered ? `delivered: ${status} in ${milliseconds} ms${said}` : `failed: ${failure}${said}`)
    return delivered ? 0 : 1
  },
})
