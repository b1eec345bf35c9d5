import { BaleError, isUrl, printable } from '#base'
import type { AdvisoryPlace } from '#engine'
import { createProgressView } from '../render/progress.ts'
import { defineVerb } from '../verb/verb.ts'

const KINDS = ['osv', 'debian-tracker', 'alpine-secdb', 'redhat-vex', 'rubysec', 'kev', 'epss'] as const

export const verb = defineVerb({
  name: 'advisories build',
  summary: 'Build a bundle of advisories from what projects publish',
  arguments: { max: 0 },
  options: [
    {
      flags: '--from <KIND[:ECOSYSTEM]=ADDRESS>',
      description: `A source, in place of the public ones: an address, file or folder of ${KINDS.join(', ')}`,
      repeat: true,
    },
    { flags: '-o, --output <FILE>', description: 'Write the bundle to a file instead of installing it' },
    { flags: '-q, --quiet', description: 'Do not show progress' },
  ],
  examples: [
    { command: 'bale advisories build', explains: 'From the public databases; later runs download what has changed' },
    {
      command: 'bale advisories build --from osv:npm=./ghsa.zip -o bundle.sqlite',
      explains: 'From a file, for machines without network',
    },
  ],
  async run({ options, engine, io, signal }) {
    const from = options.from?.map(placeOf)
    using view = createProgressView(io, { quiet: options.quiet, to: 'stderr' })
    const { info, places } = await engine.trust.buildAdvisories({
      from,
      output: options.output,
      signal,
      progress: view.report,
    })
    for (const { place, state, records, skipped } of places) {
      const bad = skipped > 0 ? `, ${skipped} malformed left out` : ''
      // What is on this machine is read each time.
      const told = isUrl(place.address) || state === 'failed' ? `${state}, ` : ''
      const count = `${records} ${records === 1 ? 'record' : 'records'}`
      await io.print(`${place.kind} ${printable(place.address, 200)}: ${told}${count}${bad}`)
    }
    await io.print(`${info.advisories} ${info.advisories === 1 ? 'advisory' : 'advisories'} of ${info.created}`)
    return places.some(({ state }) => state === 'failed') ? 1 : 0
  },
})

function placeOf(text: string): AdvisoryPlace {
  const [, kind, ecosystem, address] = /^([a-z-]+)(?::([^=]+))?=(.+)$/s.exec(text) ?? []
  const known = KINDS.find((one) => one === kind)
  if (known && address !== undefined) return { kind: known, address, ecosystem }
  throw new BaleError('INVALID_ARGUMENT', `not a source of advisories: ${printable(text)}`, {
    hint: `KIND[:ECOSYSTEM]=ADDRESS, where KIND is one of ${KINDS.join(', ')}`,
  })
}
