import { defineVerb } from '../verb/verb.ts'
import { LOCAL_PLACE_OPTIONS, openLocalAdmin } from './registry.ts'

export const verb = defineVerb({
  name: 'registry hook test',
  summary: 'Send a hook of a registry a test from this machine, and show the answer',
  usage: 'NAME',
  arguments: { min: 1, max: 1 },
  options: LOCAL_PLACE_OPTIONS,
  examples: [
    {
      command: 'bale registry hook test --config /etc/bale/registry.yaml scanner',
      explains: 'The file says which private addresses hooks may be at; exits with 1 if it was not taken',
    },
  ],
  async run({ args, options, engine, io, signal }) {
    await using admin = await openLocalAdmin(options, engine, io)
    const { delivered, status, failure, answer, milliseconds } = await admin.hooks.test(args[0]!, { signal })
    const said = answer === undefined ? '' : `: ${answer}`
    await io.print(delivered ? `delivered: ${status} in ${milliseconds} ms${said}` : `failed: ${failure}${said}`)
    return delivered ? 0 : 1
  },
})
