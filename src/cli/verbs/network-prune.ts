import { confirm } from '../confirm.ts'
import { parseFilters } from '../filters.ts'
import { defineVerb } from '../verb.ts'
import { untilOf } from './container-prune.ts'

export const verb = defineVerb<{ force?: boolean; filter?: string[] }>({
  name: 'network prune',
  summary: 'Remove networks that no container uses',
  arguments: { max: 0 },
  options: [
    { flags: '-f, --force', description: 'Do not ask' },
    { flags: '--filter <FILTER>', description: 'until=DURATION', repeat: true },
  ],
  examples: [{ command: 'bale network prune -f', explains: 'The default network stays' }],
  async run({ options, engine, io, signal }) {
    const filters = parseFilters(options.filter, ['until'])
    const warning = 'WARNING! This will remove all custom networks not used by at least one container.'
    if (!options.force && !(await confirm(io, warning, signal))) return 0
    const { removed } = await engine.pruneNetworks({ until: untilOf(filters.get('until')?.at(-1)) })
    if (removed.length > 0) await io.print(`Deleted Networks:\n${removed.join('\n')}`)
    return 0
  },
})
