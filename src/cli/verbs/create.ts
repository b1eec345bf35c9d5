import { isBaleError } from '#base'
import { CONTAINER_FLAGS, type ContainerFlags, containerRequest } from '../flags/container-flags.ts'
import { renderFailure } from '../render/failure.ts'
import { createProgressView } from '../render/progress.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { defineVerb } from '../verb/verb.ts'
import { startCidFile } from './run.ts'

/** docker's exit code for a command line or a file it names that cannot be understood; the engine's refusals are 1. */
const NOT_UNDERSTOOD = 125

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
    Object.assign(request.config, { attachStdout: true, attachStderr: true, stdinOnce: options.interactive ?? false })
    await using cidFile = await startCidFile(options.cidfile)
    using view = createProgressView(io, { quiet: options.quiet, to: 'stderr' })
    const { id } = await engine.containers.create(request, { signal, progress: view.report })
    await cidFile.write(id)
    await io.print(id)
    return 0
  },
})

function understood(args: readonly string[], flags: ContainerFlags, io: Terminal) {
  try {
    return containerRequest(args, flags, io)
  } catch (error) {
    if (!isBaleError(error) || error.details['wellFormed']) throw error
    io.warn(renderFailure(error))
    return undefined
  }
}
