import { CONTAINER_FLAGS, type ContainerFlags, containerRequest } from '../flags/container-flags.ts'
import { createProgressView } from '../render/progress.ts'
import { defineVerb } from '../verb.ts'
import { startCidFile } from './run.ts'

export const verb = defineVerb<ContainerFlags & { quiet?: boolean }>({
  name: 'create',
  summary: 'Make a container without starting it',
  usage: 'IMAGE [COMMAND] [ARG...]',
  arguments: { min: 1 },
  passThrough: true,
  options: [...CONTAINER_FLAGS, { flags: '-q, --quiet', description: 'Do not show a pull' }],
  examples: [{ command: 'bale create --name web -p 8080:80 webserver', explains: 'Start it later: bale start web' }],
  async run({ args, options, engine, io, signal }) {
    const request = containerRequest(args, options, io)
    Object.assign(request.config, { attachStdout: true, attachStderr: true, stdinOnce: options.interactive ?? false })
    await using cidFile = await startCidFile(options.cidfile)
    using view = createProgressView(io, { quiet: options.quiet, to: 'stderr' })
    const { id } = await engine.createContainer(request, { signal, progress: view.report })
    await cidFile.write(id)
    await io.print(id)
    return 0
  },
})
