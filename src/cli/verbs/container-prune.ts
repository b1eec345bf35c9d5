import { filterFlag, readPairs } from '../flags/filters.ts'
import { reclaimedSpace } from '../render/reclaimed-space.ts'
import { confirm } from '../terminal/confirm.ts'
import { defineVerb } from '../verb/verb.ts'

export const verb = defineVerb({
  name: 'container prune',
  summary: 'Remove all stopped containers',
  arguments: { max: 0 },
  options: [
    { flags: '-f, --force', description: 'Do not ask for confirmation' },
    filterFlag('--filter <FILTER>', 'until=TIME, label=KEY[=VALUE], label!=KEY'),
  ],
  examples: [{ command: 'bale container prune -f --filter until=24h', explains: 'Only those older than a day' }],
  async run({ options, engine, io, signal }) {
    const filters = readPairs(options.filter)
    const warning = 'WARNING! This will remove all stopped containers.'
    if (!options.force && !(await confirm(io, warning, signal))) return 0
    const { removed, freed } = await engine.containers.prune({ filters, signal })
    if (removed.length > 0) await io.print(`Deleted Containers:\n${removed.join('\n')}\n`)
    await io.print(reclaimedSpace(freed))
    return 0
  },
})
