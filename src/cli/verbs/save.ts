import { BaleError, printable } from '#base'
import type { ImagesOutput } from '#engine'
import { outputTarget } from '../terminal/output-target.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { defineVerb } from '../verb/verb.ts'

export const verb = defineVerb({
  name: 'save',
  summary: 'Write images to a tar archive or an OCI image layout',
  usage: 'IMAGE [IMAGE...]',
  arguments: { min: 1 },
  options: [
    {
      flags: '-o, --output <FILE>',
      description: 'Write to a file, or a directory for oci-dir, instead of standard output',
    },
    {
      flags: '--format <FORMAT>',
      description: 'docker-archive or oci-archive (one tar is both), or oci-dir: an OCI image layout in a directory',
    },
    { flags: '--platform <OS/ARCH>', description: 'Platform to choose from an image index' },
  ],
  examples: [
    { command: 'bale save webserver > webserver.tar', explains: 'One image; docker, podman and skopeo load it too' },
    {
      command: 'bale save -o all.tar webserver:latest debian:12',
      explains: 'Several images share their layers in one file',
    },
    {
      command: 'bale save --format oci-dir -o layout webserver:latest',
      explains: 'A directory for tools that read layouts: skopeo inspect oci:layout:latest',
    },
  ],
  writesData: true,
  async run({ args, options, engine, io, signal }) {
    await engine.images.save(args, readTarget(options, io), {
      platform: options.platform,
      signal,
    })
    return 0
  },
})

/** podman's formats; the archive is docker's and OCI's at once. */
function readTarget({ format, output }: { format?: string; output?: string }, io: Terminal): ImagesOutput {
  switch (format) {
    case 'oci-dir':
      if (output !== undefined && output !== '-') return { directory: output }
      throw new BaleError('INVALID_ARGUMENT', '--format oci-dir needs a directory', {
        hint: 'name one with -o DIRECTORY',
      })
    case undefined:
    case 'docker-archive':
    case 'oci-archive': {
      const target = outputTarget(output, io)
      return typeof target === 'string' ? { file: target } : { stream: target }
    }
    default:
      throw new BaleError('INVALID_ARGUMENT', `unknown format ${printable(format)}`, {
        hint: 'formats are docker-archive, oci-archive and oci-dir',
      })
  }
}
