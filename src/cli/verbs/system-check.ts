import { createProgressView } from '../render/progress.ts'
import { weaknessLines } from '../render/walls.ts'
import { defineVerb } from '../verb/verb.ts'

export const verb = defineVerb({
  name: 'system check',
  summary: 'Verify the content of the store against its digests',
  arguments: { max: 0 },
  options: [
    { flags: '--repair', description: 'Remove damaged content, so that a pull or build restores it' },
    { flags: '--quick', description: 'Only check that files exist and have the right size' },
  ],
  examples: [
    { command: 'bale system check', explains: 'Read and hash all layers and blobs' },
    { command: 'bale system check --repair', explains: 'And remove damaged content' },
  ],
  async run({ options, engine, io, signal }) {
    using view = createProgressView(io, { to: 'stderr', quiet: !io.stderr.isTTY })
    const findings = await engine.system.check({ ...options, signal, progress: view.report })
    for (const finding of findings) {
      const needed = finding.images.length > 0 ? `; needed by ${finding.images.join(', ')}` : ''
      await io.print(
        `${finding.kind} ${finding.subject}: ${finding.problem}${needed}${finding.repaired ? ' (repaired)' : ''}`,
      )
    }
    const open = findings.filter((finding) => !finding.repaired)
    const damage = open.filter((finding) => finding.kind !== 'leftover')
    if (damage.length === 0) await io.print('No damage found.')
    for (const line of weaknessLines(await engine.system.security())) io.warn(line)
    if (open.length > damage.length) io.warn('hint: bale system prune removes leftovers of crashed commands')
    if (damage.length > 0) io.warn('hint: bale system check --repair removes damaged content; pull or build it again')
    return damage.length > 0 ? 1 : 0
  },
})
