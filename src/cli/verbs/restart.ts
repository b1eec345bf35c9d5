import { eachName } from '../each-name.ts'
import { parseWholeNumber } from '../flags/flag-values.ts'
import { defineVerb } from '../verb.ts'

export const verb = defineVerb<{ time?: string; timeout?: string; signal?: string }>({
  name: 'restart',
  summary: 'Stop containers (if they run) and start them again',
  usage: 'CONTAINER [CONTAINER...]',
  arguments: { min: 1 },
  options: [
    { flags: '-t, --time <SECONDS>', description: 'Seconds before they are killed' },
    { flags: '--timeout <SECONDS>', description: 'As --time', hidden: true },
    { flags: '-s, --signal <SIGNAL>', description: 'Signal to send first' },
  ],
  examples: [{ command: 'bale restart web', explains: 'With the same settings and files' }],
  run: ({ args, options, engine, io, signal }) => {
    const time = options.time ?? options.timeout
    const timeout = time === undefined ? undefined : parseWholeNumber('time', time)
    return eachName(io, args, (name) => engine.restartContainer(name, { timeout, stopSignal: options.signal, signal }))
  },
})
