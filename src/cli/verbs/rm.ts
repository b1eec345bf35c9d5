import { isBaleError } from '#base'
import { eachName } from '../verb/each-name.ts'
import { defineVerb } from '../verb/verb.ts'

export const verb = defineVerb({
  name: 'rm',
  summary: 'Remove containers and the files they wrote',
  usage: 'CONTAINER [CONTAINER...]',
  arguments: { min: 1 },
  options: [
    { flags: '-f, --force', description: 'Kill running containers first' },
    { flags: '-v, --volumes', description: 'Also remove their anonymous volumes' },
    { flags: '-l, --link', description: 'Remove a link', refused: 'there are no links between containers' },
  ],
  examples: [
    { command: 'bale rm job', explains: 'A stopped container' },
    { command: 'bale rm -f -v web', explains: 'A running one, with its anonymous volumes' },
  ],
  run: ({ args, options, engine, io }) =>
    eachName(
      io,
      args,
      async (name) => {
        try {
          await engine.containers.remove(name, options)
          return name
        } catch (error) {
          // As docker: with --force a container that does not exist is reported, but the command does not fail.
          if (!options.force || !isBaleError(error, 'CONTAINER_NOT_FOUND')) throw error
          io.warn(`Error: ${error.message}`)
          return ''
        }
      },
      { together: true },
    ),
})
