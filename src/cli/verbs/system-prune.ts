import { confirm } from '../confirm.ts'
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
    { flags: '--volumes', description: 'Volumes that no container uses as well' },
    {
      flags: '--filter <FILTER>',
      description: 'Which ones',
      repeat: true,
      refused: 'use the prune verbs of container, image and volume',
    },
  ],
  examples: [
    { command: 'bale system prune', explains: 'Asks first' },
    { command: 'bale system prune -af --volumes', explains: 'Everything that is not in use, without a question' },
  ],
  async run({ options, engine, io, signal }) {
    const images = options.all ? 'all images that no container uses' : 'all images without a name'
    const volumes = options.volumes ? ', all volumes that no container uses' : ''
    const warning = `WARNING! This will remove all stopped containers, all networks that no container uses, ${images}, all build cache that no image stands on${volumes}.`
    if (!options.force && !(await confirm(io, warning, signal))) return 0
    const containers = await engine.pruneContainers({ signal })
    await section('Deleted Containers:', containers.removed)
    const networks = await engine.pruneNetworks({})
    await section('Deleted Networks:', networks.removed)
    const removedVolumes = options.volumes ? await engine.pruneVolumes({ all: true }) : { removed: [], freed: 0 }
    await section('Deleted Volumes:', removedVolumes.removed)
    const cache = await engine.pruneBuildCache({ all: options.all })
    const pruned = await engine.pruneImages({ all: options.all })
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
