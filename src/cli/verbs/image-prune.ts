import { filterFlag, readPairs } from '../flags/filters.ts'
import { reclaimedSpace } from '../render/reclaimed-space.ts'
import { confirm } from '../terminal/confirm.ts'
import { defineVerb } from '../verb/verb.ts'

export const verb = defineVerb({
  name: 'image prune',
  summary: 'Remove unused images',
  arguments: { max: 0 },
  options: [
    { flags: '-a, --all', description: 'Remove all images that no container uses, not only those without a name' },
    { flags: '-f, --force', description: 'Do not ask for confirmation' },
    filterFlag('--filter <FILTER>', 'until=TIME, label=KEY[=VALUE], label!=KEY, dangling'),
  ],
  examples: [
    { command: 'bale image prune', explains: 'Images without a name; asks first' },
    { command: 'bale image prune -af --filter until=24h', explains: 'All unused images older than a day' },
  ],
  async run({ options, engine, io, signal }) {
    const filters = readPairs(options.filter)
    const what = options.all ? 'all images that no container uses' : 'all images without a name'
    if (!options.force && !(await confirm(io, `WARNING! This will remove ${what}.`, signal))) return 0
    const pruned = await engine.images.prune({ all: options.all, filters })
    const lines = [
      ...pruned.untagged.map((name) => `untagged: ${name}`),
      ...pruned.deleted.map((digest) => `deleted: ${digest}`),
    ]
    if (lines.length > 0) await io.print(`Deleted Images:\n${lines.join('\n')}\n`)
    await io.print(reclaimedSpace(pruned.freed))
    return 0
  },
})
