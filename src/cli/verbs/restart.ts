import { readInteger } from '#docker'
import { parseWholeNumber } from '../flags/flag-values.ts'
import { eachName } from '../verb/each-name.ts'
import { defineVerb } from '../verb/verb.ts'

export const verb = defineVerb({
  name: 'restart',
  summary: 'Restart containers',
  usage: 'CONTAINER [CONTAINER...]',
  arguments: { min: 1 },
  options: [
    {
      flags: '-t, --timeout <SECONDS>',
      aliases: ['time'],
      description: 'Seconds to wait before killing them',
      check: readInteger,
    },
    { flags: '-s, --signal <SIGNAL>', description: 'Signal to send' },
  ],
  examples: [{ command: 'bale restart web', explains: 'With the same settings and files' }],
  run: ({ args, options, engine, io, signal }) => {
    const timeout = options.timeout === undefined ? undefined : parseWholeNumber('timeout', options.timeout)
    // All stop at once, and start in the order given: a later one may need an earlier one.
    let turn: Promise<unknown> = Promise.resolve()
    return eachName(
      io,
      args,
      (name) => {
        const restarted = engine.containers.restart(name, { timeout, stopSignal: options.signal, signal, turn })
        turn = Promise.allSettled([turn, restarted])
        return restarted
      },
      { together: true },
    )
  },
})
