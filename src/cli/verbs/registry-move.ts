import { BaleError } from '#base'
import { defineVerb } from '../verb/verb.ts'
import { LOCAL_PLACE_OPTIONS, loadRegistry, registryDirectory } from './registry.ts'

export const verb = defineVerb({
  name: 'registry move',
  summary: 'Move a registry from its directory to a database and an object store, while it is served',
  arguments: { max: 0 },
  options: [
    LOCAL_PLACE_OPTIONS[0],
    LOCAL_PLACE_OPTIONS[2],
    {
      flags: '--to <FILE>',
      description: 'Configuration file of the scaled-out registry, which is empty and not served yet',
    },
    {
      flags: '--undo',
      description: 'Take changes again after a move; what came to the new place meanwhile is not here',
    },
  ],
  examples: [
    {
      command: 'bale registry move --root /var/lib/bale-registry --to /etc/bale/registry.yaml',
      explains: 'Pushes and pulls go on until the last step; after it, only the new place takes pushes',
    },
    {
      command: 'bale registry move --root /var/lib/bale-registry --undo',
      explains: 'Back: the directory takes pushes again',
    },
  ],
  async run({ options, engine, io, signal }) {
    const { moveEmbedded, readConfiguration, takeChangesAgain } = await loadRegistry()
    const directory = registryDirectory(options.root, engine)
    if ((options.to === undefined) === !options.undo)
      throw new BaleError('INVALID_ARGUMENT', 'give either --to or --undo')
    if (options.undo) {
      takeChangesAgain(directory)
      await io.print(`Changes are taken again: ${directory}`)
      return 0
    }
    const frozen = () => io.warn('Changes are refused from now on, until clients come to the new place')
    const surroundings = { environment: io.environment }
    const moved = await moveEmbedded(directory, await readConfiguration(options.to!), surroundings, { signal, frozen })
    for (const digest of moved.damaged) io.warn(`${digest} is damaged, and lost until it is pushed again`)
    await io.print(`Blobs: ${moved.blobs}, ${moved.bytes} bytes copied`)
    await io.print(`Changes were refused for ${(moved.frozenFor / 1000).toFixed(1)} seconds`)
    return moved.damaged.length > 0 ? 1 : 0
  },
})
