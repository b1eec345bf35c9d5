import { BaleError } from '#base'
import type { PrunedPart } from '#engine'
import { filterFlag, readPairs } from '../flags/filters.ts'
import { reclaimedSpace } from '../render/reclaimed-space.ts'
import { confirm } from '../terminal/confirm.ts'
import { defineVerb } from '../verb/verb.ts'

export const verb = defineVerb({
  name: 'system prune',
  summary: 'Remove stopped containers, unused images, networks and build cache, and leftovers of crashed commands',
  arguments: { max: 0 },
  options: [
    { flags: '-a, --all', description: 'Remove all images that no container uses, not only those without a name' },
    { flags: '-f, --force', description: 'Do not ask for confirmation' },
    { flags: '--volumes', description: 'Also remove anonymous volumes that no container uses' },
    filterFlag('--filter <FILTER>', 'until=TIME, label=KEY[=VALUE], label!=KEY'),
  ],
  examples: [
    { command: 'bale system prune', explains: 'Asks first' },
    { command: 'bale system prune -af --volumes', explains: 'Everything unused except named volumes, without asking' },
  ],
  async run({ options, engine, io, signal }) {
    const filters = readPairs(options.filter)
    if (options.volumes && filters.some(({ name }) => name === 'until'))
      throw new BaleError('INVALID_ARGUMENT', 'the "until" filter is not supported with "--volumes"', {
        hint: 'no record says when a volume was last used',
      })
    const images = options.all ? 'all images that no container uses' : 'all images without a name'
    const volumes = options.volumes ? ', all anonymous volumes that no container uses' : ''
    const warning = `WARNING! This will remove all stopped containers, all networks that no container uses, ${images}, all build cache that no image is based on${volumes}.`
    if (!options.force && !(await confirm(io, warning, signal))) return 0
    let freed = 0
    for await (const part of await engine.system.prune({
      all: options.all,
      volumes: options.volumes,
      filters,
      signal,
    })) {
      freed += part.freed
      for (const [title, lines] of sections(part))
        if (lines.length > 0) await io.print(`${title}\n${lines.join('\n')}\n`)
    }
    await io.print(reclaimedSpace(freed))
    return 0
  },
})

const TITLES = {
  containers: 'Deleted Containers:',
  networks: 'Deleted Networks:',
  volumes: 'Deleted Volumes:',
  cache: 'Deleted build cache objects:',
}

function sections(part: PrunedPart): [title: string, lines: string[]][] {
  if (part.kind === 'garbage') return []
  if (part.kind !== 'images') return [[TITLES[part.kind], part.removed]]
  const untagged = part.untagged.map((name) => `untagged: ${name}`)
  return [['Deleted Images:', [...untagged, ...part.deleted.map((digest) => `deleted: ${digest}`)]]]
}
