import { renderFailure } from '../render/failure.ts'
import { defineVerb } from '../verb/verb.ts'

export const verb = defineVerb({
  name: 'system start',
  summary: 'Start the containers whose restart policy asks for it after a boot',
  arguments: { max: 0 },
  options: [],
  examples: [
    { command: 'bale system start', explains: 'Running containers are left alone; the unit bale.service calls this' },
  ],
  async run({ engine, io }) {
    const { done, failed } = await engine.system.start()
    for (const name of done) await io.print(name)
    for (const { name, error } of failed) io.warn(`${name}: ${renderFailure(error)}`)
    return failed.length > 0 ? 1 : 0
  },
})
