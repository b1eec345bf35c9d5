import { BaleError } from '#base'
import { defineVerb } from '../verb/verb.ts'

export const verb = defineVerb({
  name: 'commit',
  summary: 'Create an image from a container',
  usage: 'CONTAINER [REPOSITORY[:TAG]]',
  arguments: { min: 1, max: 2 },
  options: [
    { flags: '-a, --author <NAME>', description: 'Author' },
    {
      flags: '-c, --change <INSTRUCTION>',
      description: 'Apply a Dockerfile instruction to the image',
      repeat: true,
    },
    { flags: '-m, --message <TEXT>', description: 'Commit message' },
    { flags: '-p, --pause', description: 'Pause the container during the commit', default: true },
  ],
  examples: [
    { command: 'bale commit web webserver:patched', explains: 'Its files and its configuration as an image' },
    { command: `bale commit -c 'CMD ["sh"]' -m 'try it' web try`, explains: 'With another command' },
  ],
  async run({ args, options, engine, io, signal }) {
    const [container = '', name] = args
    if (name?.includes('@'))
      throw new BaleError('INVALID_REFERENCE', `refusing to create a tag with a digest reference: ${name}`)
    const { id } = await engine.containers.commit(container, {
      name,
      author: options.author,
      changes: options.change,
      message: options.message,
      pause: options.pause,
      signal,
    })
    await io.print(id)
    return 0
  },
})
