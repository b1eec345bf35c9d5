import { binarySize } from '#docker'
import { alignColumns } from '../render/align-columns.ts'
import { defineVerb } from '../verb/verb.ts'
import { openAdmin, PLACE_OPTIONS, type QuotaUse } from './registry.ts'

export const verb = defineVerb({
  name: 'registry quota ls',
  summary: 'List the quotas of a registry, with what is used of them',
  arguments: { max: 0 },
  options: PLACE_OPTIONS,
  examples: [
    {
      command: 'bale registry quota ls',
      explains: 'What is used and allowed, in numbers and as a share, at this moment',
    },
  ],
  async run({ options, engine, io }) {
    await using admin = await openAdmin(options, engine, io)
    const rows = (await admin.quotas.list()).map((quota) =>
      [quota.scope, share(quota, 'bytes', binarySize), share(quota, 'tags'), share(quota, 'repositories')].join('\t'),
    )
    await io.print(alignColumns(['REPOSITORIES\tBYTES\tTAGS\tNUMBER', ...rows].join('\n')))
    return 0
  },
})

/** `1.5GiB of 20GiB (7%)`, and what is used alone where there is no limit. */
function share(
  { limits, used }: QuotaUse,
  kind: keyof QuotaUse['used'],
  format: (count: number) => string = String,
): string {
  const [limit, count] = [limits[kind], used[kind]]
  if (limit === undefined) return format(count)
  const percent = limit === 0 ? 100 : Math.floor((count * 100) / limit)
  return `${format(count)} of ${format(limit)} (${percent}%)`
}
