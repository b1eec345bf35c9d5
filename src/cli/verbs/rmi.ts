import { isBaleError } from '#base'
import { renderFailure } from '../render/failure.ts'
import { defineVerb } from '../verb/verb.ts'

export const verb = defineVerb({
  name: 'rmi',
  summary: 'Remove names of images, and images that have no name left',
  usage: 'IMAGE [IMAGE...]',
  arguments: { min: 1 },
  options: [
    { flags: '-f, --force', description: 'Remove the image with all its names, even if stopped containers use it' },
    { flags: '--no-prune', description: 'Keep untagged parents', refused: 'images have no untagged parents' },
  ],
  examples: [
    { command: 'bale rmi webserver:latest', explains: 'Remove one name; the layers go with the last one' },
    { command: 'bale rmi -f 3f5c', explains: 'Remove an image by its ID with all its names' },
  ],
  async run({ args, options, engine, io, signal }) {
    let code = 0
    for (const name of args) {
      signal.throwIfAborted()
      try {
        for (const record of await engine.images.remove(name, { force: options.force })) {
          await io.print('untagged' in record ? `Untagged: ${record.untagged}` : `Deleted: ${record.deleted}`)
        }
      } catch (error) {
        io.warn(renderFailure(error))
        // As with `rm -f`: an image that does not exist is as good as removed.
        if (!options.force || !isBaleError(error, 'IMAGE_NOT_FOUND')) code = 1
      }
    }
    return code
  },
})
