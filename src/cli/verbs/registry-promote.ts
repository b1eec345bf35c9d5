import { binarySize } from '#docker'
import { defineVerb } from '../verb/verb.ts'
import { openAdmin, PLACE_OPTIONS, type Promotion } from './registry.ts'

export const verb = defineVerb({
  name: 'registry promote',
  summary: 'Copy images from one repository of a registry to another, as its policies allow',
  usage: 'SOURCE TARGET',
  arguments: { min: 2, max: 2 },
  options: [
    ...PLACE_OPTIONS,
    { flags: '--referrers', description: 'Take along signatures, SBOMs and whatever else refers to the images' },
    { flags: '--dry-run', description: 'Tell what would be done, and do nothing' },
  ],
  examples: [
    { command: 'bale registry promote team/web:1.2 prod/web', explains: 'Under the same tag; no bytes are copied' },
    {
      command: "bale registry promote --dry-run 'team/*:v*' 'prod/*'",
      explains: 'All tags v… of all repositories of team; says which ones policies or quotas refuse',
    },
  ],
  async run({ args, options, engine, io, signal }) {
    const [source, target] = args as [string, string]
    const { referrers, dryRun } = options
    await using admin = await openAdmin(options, engine, io)
    let refused = 0
    for await (const one of admin.promotions.promote(source, target, { referrers, dryRun, signal })) {
      await io.print(`${one.source} -> ${one.target}: ${outcomeOf(one)}`)
      if (one.refusal) refused++
    }
    return refused > 0 ? 1 : 0
  },
})

function outcomeOf({ promoted, refusal }: Promotion): string {
  if (!promoted) return `refused: ${refusal!.message}`
  const { digest, changed, bytes } = promoted
  return changed ? `${digest}, ${binarySize(bytes)} more` : `${digest} was there already`
}
