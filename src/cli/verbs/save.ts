import { BaleError } from '#base'
import { defineVerb } from '../verb.ts'

interface Options {
  output?: string
  platform?: string
}

export const verb = defineVerb<Options>({
  name: 'save',
  summary: 'Write images to a tar archive that every loader reads',
  usage: 'IMAGE [IMAGE...]',
  arguments: { min: 1 },
  options: [
    { flags: '-o, --output <FILE>', description: 'Write to a file instead of standard output' },
    { flags: '--platform <OS/ARCH>', description: 'Take this platform of an image index' },
  ],
  examples: [
    { command: 'bale save webserver > webserver.tar', explains: 'One image; docker, podman and skopeo load it too' },
    {
      command: 'bale save -o all.tar webserver:latest debian:12',
      explains: 'Several images share their layers in one file',
    },
  ],
  async run({ args, options, engine, io, signal }) {
    if (options.output === undefined && io.stdout.isTTY) {
      throw new BaleError('INVALID_ARGUMENT', 'cowardly refusing to save to a terminal', {
        hint: 'use -o FILE, or redirect the output to a file',
      })
    }
    const target = options.output === undefined ? { stream: io.stdout } : { file: options.output }
    await engine.saveImages(args, target, { platform: options.platform, signal })
    return 0
  },
})
