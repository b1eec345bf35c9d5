import { outputTarget } from '../terminal/output-target.ts'
import { defineVerb } from '../verb/verb.ts'

export const verb = defineVerb({
  name: 'save',
  summary: 'Write images to a tar archive',
  usage: 'IMAGE [IMAGE...]',
  arguments: { min: 1 },
  options: [
    { flags: '-o, --output <FILE>', description: 'Write to a file instead of standard output' },
    { flags: '--platform <OS/ARCH>', description: 'Platform to choose from an image index' },
  ],
  examples: [
    { command: 'bale save webserver > webserver.tar', explains: 'One image; docker, podman and skopeo load it too' },
    {
      command: 'bale save -o all.tar webserver:latest debian:12',
      explains: 'Several images share their layers in one file',
    },
  ],
  writesData: true,
  async run({ args, options, engine, io, signal }) {
    const target = outputTarget(options.output, io)
    await engine.images.save(args, typeof target === 'string' ? { file: target } : { stream: target }, {
      platform: options.platform,
      signal,
    })
    return 0
  },
})
