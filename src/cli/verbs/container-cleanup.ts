import { defineVerb } from '../verb/verb.ts'

export const verb = defineVerb({
  name: 'container cleanup',
  summary: 'Clean up after a container that has stopped (called by its monitor)',
  usage: 'CONTAINER',
  arguments: { min: 1, max: 1 },
  options: [
    { flags: '--at-once', description: 'Take down idle networks without waiting for another container to use them' },
    { flags: '--exec <ID>', description: 'Report the end of a process that exec started, nothing else' },
  ],
  examples: [{ command: 'bale container cleanup 3f5c…', explains: 'Does nothing while the container runs' }],
  async run({ args, options, engine }) {
    await engine.containers.cleanup(args[0]!, options)
    return 0
  },
})
