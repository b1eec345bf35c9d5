import { filterFlag, readPairs } from '../flags/filters.ts'
import { reclaimedSpace } from '../render/reclaimed-space.ts'
import { confirm } from '../terminal/confirm.ts'
import { defineVerb } from '../verb/verb.ts'

export const verb = defineVerb({
  name: 'volume prune',
  summary: 'Remove volumes that no container mounts',
  arguments: { max: 0 },
  options: [
    { flags: '-a, --all', description: 'Also remove named volumes, not only anonymous ones' },
    { flags: '-f, --force', description: 'Do not ask for confirmation' },
    filterFlag('--filter <FILTER>', 'label=KEY[=VALUE], label!=KEY, all=true'),
  ],
  examples: [{ command: 'bale volume prune -f', explains: 'The anonymous volumes of removed containers' }],
  async run({ options, engine, io, signal }) {
    const filters = readPairs(options.filter)
    const all = options.all || filters.some(({ name, value }) => name === 'all' && /^(1|true)$/.test(value))
    const warning = `WARNING! This will remove ${all ? 'all' : 'all anonymous'} volumes not used by at least one container.`
    if (!options.force && !(await confirm(io, warning, signal))) return 0
    const { removed, freed } = await engine.volumes.prune({ all, filters })
    if (removed.length > 0) await io.print(`Deleted Volumes:\n${removed.join('\n')}\n`)
    await io.print(reclaimedSpace(freed))
    return 0
  },
})
