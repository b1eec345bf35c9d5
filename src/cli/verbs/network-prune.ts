import { filterFlag, readPairs } from '../flags/filters.ts'
import { confirm } from '../terminal/confirm.ts'
import { defineVerb } from '../verb/verb.ts'

export const verb = defineVerb({
  name: 'network prune',
  summary: 'Remove networks that no container uses',
  arguments: { max: 0 },
  options: [
    { flags: '-f, --force', description: 'Do not ask for confirmation' },
    filterFlag('--filter <FILTER>', 'until=TIME, label=KEY[=VALUE], label!=KEY'),
  ],
  examples: [{ command: 'bale network prune -f', explains: 'The default network stays' }],
  async run({ options, engine, io, signal }) {
    const filters = readPairs(options.filter)
    const warning = 'WARNING! This will remove all custom networks not used by at least one container.'
    if (!options.force && !(await confirm(io, warning, signal))) return 0
    const { removed } = await engine.networks.prune({ filters })
    if (removed.length > 0) await io.print(`Deleted Networks:\n${removed.join('\n')}`)
    return 0
  },
})
