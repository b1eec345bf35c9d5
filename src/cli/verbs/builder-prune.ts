import { filterFlag, readPairs } from '../flags/filters.ts'
import { reclaimedSpace } from '../render/reclaimed-space.ts'
import { confirm } from '../terminal/confirm.ts'
import { defineVerb } from '../verb/verb.ts'

export const verb = defineVerb({
  name: 'builder prune',
  summary: 'Remove build cache',
  arguments: { max: 0 },
  options: [
    { flags: '-a, --all', description: 'Also remove cache that images are based on' },
    { flags: '-f, --force', description: 'Do not ask for confirmation' },
    filterFlag('--filter <FILTER>', 'Only cache not used since a time: until=TIME'),
  ],
  examples: [
    { command: 'bale builder prune -f', explains: 'Cache that no image is based on' },
    { command: 'bale builder prune -af', explains: 'All of it: the next build starts from scratch' },
  ],
  async run({ options, engine, io, signal }) {
    const filters = readPairs(options.filter)
    const what = options.all ? 'all build cache' : 'all build cache that no image is based on'
    if (!options.force && !(await confirm(io, `WARNING! This will remove ${what}.`, signal))) return 0
    const { keys, freed } = await engine.builds.prune({ all: options.all, filters })
    if (keys.length > 0) await io.print(`Deleted build cache objects:\n${keys.join('\n')}\n`)
    await io.print(reclaimedSpace(freed))
    return 0
  },
})
