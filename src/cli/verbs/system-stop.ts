import { parseWholeNumber } from '../flags/flag-values.ts'
import { renderFailure } from '../render/failure.ts'
import { defineVerb } from '../verb/verb.ts'

export const verb = defineVerb({
  name: 'system stop',
  summary: 'Stop all containers before a shutdown; those with a restart policy start again afterwards',
  arguments: { max: 0 },
  options: [
    {
      flags: '-t, --time <SECONDS>',
      description: 'Seconds to wait before killing them (10, or their --stop-timeout)',
    },
  ],
  examples: [
    { command: 'bale system stop -t 30', explains: 'bale system start starts those with a restart policy again' },
  ],
  async run({ options, engine, io, signal }) {
    const timeout = options.time === undefined ? undefined : parseWholeNumber('time', options.time)
    const { done, failed } = await engine.system.stop({ timeout, signal })
    for (const name of done) await io.print(name)
    for (const { name, error } of failed) io.warn(`${name}: ${renderFailure(error)}`)
    return failed.length > 0 ? 1 : 0
  },
})
