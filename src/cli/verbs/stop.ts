import { eachName } from '../each-name.ts'
import { parseWholeNumber } from '../flags/flag-values.ts'
import { defineVerb } from '../verb.ts'

export const verb = defineVerb<{ time?: string; timeout?: string; signal?: string }>({
  name: 'stop',
  summary: 'Stop running containers',
  usage: 'CONTAINER [CONTAINER...]',
  arguments: { min: 1 },
  options: [
    { flags: '-t, --time <SECONDS>', description: 'Seconds before they are killed (10, or the --stop-timeout)' },
    { flags: '--timeout <SECONDS>', description: 'As --time', hidden: true },
    { flags: '-s, --signal <SIGNAL>', description: 'Signal to send first' },
  ],
  examples: [{ command: 'bale stop -t 2 web', explains: 'The stop signal, after two seconds KILL' }],
  run: ({ args, options, engine, io, signal }) => {
    const time = options.time ?? options.timeout
    const timeout = time === undefined ? undefined : parseWholeNumber('time', time)
    return eachName(io, args, (name) => engine.stopContainer(name, { timeout, stopSignal: options.signal, signal }))
  },
})
