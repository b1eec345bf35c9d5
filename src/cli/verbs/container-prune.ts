import { BaleError } from '#base'
import { confirm } from '../confirm.ts'
import { parseFilters } from '../filters.ts'
import { parseDuration } from '../flags/flag-values.ts'
import { humanSize } from '../render/human-units.ts'
import { defineVerb } from '../verb.ts'

export const verb = defineVerb<{ force?: boolean; filter?: string[] }>({
  name: 'container prune',
  summary: 'Remove all containers that do not run',
  arguments: { max: 0 },
  options: [
    { flags: '-f, --force', description: 'Do not ask' },
    { flags: '--filter <FILTER>', description: 'until=DURATION or label=KEY[=VALUE]', repeat: true },
  ],
  examples: [{ command: 'bale container prune -f --filter until=24h', explains: 'Those that are older than a day' }],
  async run({ options, engine, io, signal }) {
    const filters = parseFilters(options.filter, ['until', 'label'])
    const warning = 'WARNING! This will remove all stopped containers.'
    if (!options.force && !(await confirm(io, warning, signal))) return 0
    const { removed, freed } = await engine.pruneContainers({
      until: untilOf(filters.get('until')?.at(-1)),
      labels: filters.get('label'),
      signal,
    })
    if (removed.length > 0) await io.print(`Deleted Containers:\n${removed.join('\n')}\n`)
    await io.print(`Total reclaimed space: ${humanSize(freed)}`)
    return 0
  },
})

/** `24h` before now, or a time; as milliseconds since 1970. */
export function untilOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (/^\d+$/.test(text)) return Number(text) * 1000
  const time = Date.parse(text)
  if (!Number.isNaN(time)) return time
  if (!/^[\d.]+(ns|us|µs|ms|s|m|h)/.test(text))
    throw new BaleError('INVALID_ARGUMENT', `invalid filter 'until=${text}'`)
  return Date.now() - parseDuration('filter', text) / 1e6
}
