import { BaleError, type ErrorCode } from '#base'
import type { Engine } from '#engine'
import { defineVerb } from './verb.ts'

/** podman's code for what prevents an answer; 1 is the answer "no". */
const NO_ANSWER = 125

/** `NOUN exists NAME`, as podman has it: prints nothing, and exits with 0 when it exists and with 1 when it does not. */
export function existsVerb(
  noun: 'image' | 'container' | 'volume' | 'network',
  missing: ErrorCode,
  find: (engine: Engine, name: string) => Promise<unknown>,
) {
  return defineVerb({
    name: `${noun} exists`,
    summary: `Exit with 0 if ${noun === 'image' ? 'an' : 'a'} ${noun} exists, with 1 if not`,
    usage: noun.toUpperCase(),
    arguments: { min: 1, max: 1 },
    failureCode: NO_ANSWER,
    options: [],
    examples: [{ command: `bale ${noun} exists web || echo none`, explains: 'For scripts: nothing is printed' }],
    async run({ args, engine }) {
      try {
        await find(engine, args[0]!)
        return 0
      } catch (error) {
        if (error instanceof BaleError && error.code === missing) return 1
        throw error
      }
    },
  })
}
