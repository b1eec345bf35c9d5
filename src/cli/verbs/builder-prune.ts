import { filterFlag, readPairs } from '../flags/filters.ts'
import { humanSize } from '../render/human-units.ts'
import { confirm } from '../terminal/confirm.ts'
import { defineVerb } from '../verb/verb.ts'

export const verb = defineVerb({
  name: 'builder prune',
  summary: 'Remove build cache',
  arguments: { max: 0 },
  options: [
    { flags: '-a, --all', description: 'Also what images still stand on' },
    { flags: '-f, --force', description: 'Do not ask' },
    filterFlag('--filter <FILTER>', 'until=TIME: only what was not used since'),
  ],
  examples: [
    { command: 'bale builder prune -f', explains: 'Cache that no image stands on' },
    { command: 'bale builder prune -af', explains: 'All of it: the next build begins from nothing' },
  ],
  async run({ options, engine, io, signal }) {
    const filters = readPairs(options.filter)
    const what = options.all ? 'all build cache' : 'all build cache that no image stands on'
    if (!options.force && !(await confirm(io, `WARNING! This will remove ${what}.`, signal))) return 0
    const { keys, freed } = await engine.builds.prune({ all: options.all, filters })
    if (keys.length > 0) await io.print(`Deleted build cache objects:\n${keys.join('\n')}\n`)
    await io.print(`Total reclaimed space: ${humanSize(freed)}`)
    return 0
  },
})
