import { readInteger } from '#docker'
import { parseWholeNumber } from '../flags/flag-values.ts'
import { eachName } from '../verb/each-name.ts'
import { defineVerb } from '../verb/verb.ts'

export const verb = defineVerb({
  name: 'stop',
  summary: 'Stop running containers',
  usage: 'CONTAINER [CONTAINER...]',
  arguments: { min: 1 },
  options: [
    {
      flags: '-t, --timeout <SECONDS>',
      aliases: ['time'],
      check: readInteger,
      description: 'Seconds to wait before killing them (10, or their --stop-timeout)',
    },
    { flags: '-s, --signal <SIGNAL>', description: 'Signal to send' },
  ],
  examples: [{ command: 'bale stop -t 2 web', explains: 'The stop signal, then KILL after two seconds' }],
  run: ({ args, options, engine, io, signal }) => {
    const timeout = options.timeout === undefined ? undefined : parseWholeNumber('timeout', options.timeout)
    const stop = (name: string) => engine.containers.stop(name, { timeout, stopSignal: options.signal, signal })
    return eachName(io, args, stop, { together: true })
  },
})
