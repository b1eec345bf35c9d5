import { BaleError } from '#base'
import { alignColumns } from '../render/align-columns.ts'
import { localRfc3339 } from '../render/local-time.ts'
import { defineVerb } from '../verb/verb.ts'
import { openAdmin, PLACE_OPTIONS, splitTag, type TagChange } from './registry.ts'

export const verb = defineVerb({
  name: 'registry tag history',
  summary: 'Show what a tag of a registry pointed to, newest first',
  usage: 'REPOSITORY:TAG',
  arguments: { min: 1, max: 1 },
  options: [...PLACE_OPTIONS, { flags: '--limit <NUMBER>', description: 'Show at most so many changes (all)' }],
  examples: [
    {
      command: 'bale registry tag history team/web:latest',
      explains: 'When it changed, by whom, and whether the manifest is still there to set the tag back to it',
    },
  ],
  async run({ args, options, engine, io }) {
    const { repository, tag } = splitTag(args[0]!)
    const limit = limitOf(options.limit)
    await using admin = await openAdmin(options, engine, io)
    const changes: TagChange[] = []
    for (let more = true; more; ) {
      const page = { before: changes.at(-1)?.id, limit: Math.min(100, limit - changes.length) }
      const found = await admin.tags.history(repository, tag, page)
      changes.push(...found)
      more = found.length === 100 && changes.length < limit
    }
    if (changes.length === 0) throw new BaleError('MANIFEST_NOT_FOUND', `the registry has no history of ${args[0]}`)
    const rows = changes.map(({ at, digest, actor, there }) =>
      [localRfc3339(at), digest ?? 'deleted', actor, digest === undefined ? '' : there ? 'yes' : 'no'].join('\t'),
    )
    await io.print(alignColumns(['TIME\tDIGEST\tBY\tTHERE', ...rows].join('\n')))
    return 0
  },
})

function limitOf(text: string | undefined): number {
  if (text === undefined) return Infinity
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text)
  throw new BaleError('INVALID_ARGUMENT', `--limit takes a number from 1 on, not ${text}`)
}
