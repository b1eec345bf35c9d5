import { isBaleError } from '#base'
import { CONTAINER_FLAGS, type ContainerFlags, containerRequest } from '../flags/container-flags.ts'
import { NOT_UNDERSTOOD } from '../flags/flag-set.ts'
import { renderFailure } from '../render/failure.ts'
import { createProgressView } from '../render/progress.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { defineVerb } from '../verb/verb.ts'
import { startCidFile } from './run.ts'

export const verb = defineVerb({
  name: 'create',
  summary: 'Create a container without starting it',
  usage: 'IMAGE [COMMAND] [ARG...]',
  arguments: { min: 1 },
  passThrough: true,
  options: [...CONTAINER_FLAGS, { flags: '-q, --quiet', description: 'Do not show the progress of a pull' }],
  examples: [{ command: 'bale create --name web -p 8080:80 webserver', explains: 'Start it later: bale start web' }],
  async run({ args, options, engine, io, signal }) {
    const request = understood(args, options, io)
    if (!request) return NOT_UNDERSTOOD
    await using cidFile = await startCidFile(options.cidfile)
    using view = createProgressView(io, { quiet: options.quiet, to: 'stderr' })
    const { id } = await engine.containers.create(request, { signal, progress: view.report })
    await cidFile.write(id)
    await io.print(id)
    return 0
  },
})

/** Undefined, and said, when the command line or a file it names is not understood; what the engine refuses exits with 1. */
function understood(args: readonly string[], flags: ContainerFlags, io: Terminal) {
  const attached = { attachStdout: true, attachStderr: true, stdinOnce: flags.interactive ?? false }
  try {
    return containerRequest(args, flags, io, attached)
  } catch (error) {
    if (!isBaleError(error) || error.details['wellFormed']) throw error
    io.warn(renderFailure(error))
    return undefined
  }
}
