import { BaleError } from '#base'
import { confirm } from '../confirm.ts'
import { filterFlag, readPairs } from '../filters.ts'
import { humanSize } from '../render/human-units.ts'
import { defineVerb } from '../verb.ts'

interface Options {
  all?: boolean
  force?: boolean
  volumes?: boolean
  filter?: string[]
}

export const verb = defineVerb<Options>({
  name: 'system prune',
  summary: 'Remove stopped containers, unused images, networks and build cache, and what crashed commands left',
  arguments: { max: 0 },
  options: [
    { flags: '-a, --all', description: 'All images that no container uses, not only those without a name' },
    { flags: '-f, --force', description: 'Do not ask' },
    { flags: '--volumes', description: 'Anonymous volumes that no container uses as well' },
    filterFlag('--filter <FILTER>', 'until=TIME, label=KEY[=VALUE], label!=KEY'),
  ],
  examples: [
    { command: 'bale system prune', explains: 'Asks first' },
    { command: 'bale system prune -af --volumes', explains: 'Everything unused but named volumes, without a question' },
  ],
  async run({ options, engine, io, signal }) {
    const filters = readPairs(options.filter)
    const labelled = filters.some(({ name }) => name !== 'until')
    if (options.volumes && filters.some(({ name }) => name === 'until'))
      throw new BaleError('INVALID_ARGUMENT', 'the "until" filter is not supported with "--volumes"', {
        hint: 'nothing tells when a volume was last used',
      })
    const images = options.all ? 'all images that no container uses' : 'all images without a name'
    const volumes = options.volumes ? ', all anonymous volumes that no container uses' : ''
    const warning = `WARNING! This will remove all stopped containers, all networks that no container uses, ${images}, all build cache that no image stands on${volumes}.`
    if (!options.force && !(await confirm(io, warning, signal))) return 0
    const containers = await engine.pruneContainers({ filters, signal })
    await section('Deleted Containers:', containers.removed)
    const networks = await engine.pruneNetworks({ filters })
    await section('Deleted Networks:', networks.removed)
    const removedVolumes = options.volumes ? await engine.pruneVolumes({ filters }) : { removed: [], freed: 0 }
    await section('Deleted Volumes:', removedVolumes.removed)
    // Build cache has no labels.
    const cache = labelled ? { keys: [], freed: 0 } : await engine.pruneBuildCache({ all: options.all, filters })
    const pruned = await engine.pruneImages({ all: options.all, filters })
    await section('Deleted Images:', [
      ...pruned.untagged.map((name) => `untagged: ${name}`),
      ...pruned.deleted.map((digest) => `deleted: ${digest}`),
    ])
    await section('Deleted build cache objects:', cache.keys)
    const garbage = await engine.collectGarbage()
    const freed = containers.freed + removedVolumes.freed + cache.freed + pruned.freed + garbage.freed
    await io.print(`Total reclaimed space: ${humanSize(freed)}`)
    return 0

    async function section(title: string, lines: readonly string[]): Promise<void> {
      if (lines.length === 0) return
      await io.print(`${title}\n${lines.join('\n')}\n`)
    }
  },
})
