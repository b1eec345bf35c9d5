import { BaleError } from '#base'
import { loadedLine } from '#docker'
import { createProgressView } from '../render/progress.ts'
import { defineVerb } from '../verb/verb.ts'

export const verb = defineVerb({
  name: 'load',
  summary: 'Load images from a tar archive',
  arguments: { max: 0 },
  options: [
    { flags: '-i, --input <FILE>', description: 'Read from a file instead of standard input' },
    { flags: '-q, --quiet', description: 'Show no progress' },
    { flags: '--platform <OS/ARCH>', description: 'Platform to load from an image index' },
  ],
  examples: [
    { command: 'bale load < webserver.tar', explains: 'From standard input; gzip, zstd, xz and bzip2 are recognised' },
    { command: 'bale load -i image.tar', explains: 'From a file: archives of docker, podman, skopeo and OCI archives' },
  ],
  async run({ options, engine, io, signal }) {
    if (options.input === undefined && io.stdin.isTTY) {
      throw new BaleError('INVALID_ARGUMENT', 'requested load from stdin, but stdin is a terminal', {
        hint: 'use -i FILE, or redirect a file to the input',
      })
    }
    using view = createProgressView(io, { quiet: options.quiet || !io.stdout.isTTY })
    const images = await engine.images.load(options.input ?? io.stdin, {
      platform: options.platform,
      signal,
      progress: view.report,
    })
    for (const image of images) await io.print(loadedLine(image))
    return 0
  },
})
