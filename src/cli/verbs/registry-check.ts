import { defineVerb } from '../verb/verb.ts'
import { LOCAL_PLACE_OPTIONS, openLocalAdmin } from './registry.ts'

export const verb = defineVerb({
  name: 'registry check',
  summary: 'Compare what a registry knows with the bytes it has, even while it is served',
  arguments: { max: 0 },
  options: [
    ...LOCAL_PLACE_OPTIONS,
    { flags: '--quick', description: 'Compare sizes only; by default all bytes are read and hashed' },
    {
      flags: '--repair',
      description:
        'Hide damaged blobs until they are pushed again, show restored ones, delete unknown files of two days, mend counts',
    },
  ],
  examples: [
    {
      command: 'bale registry check --quick',
      explains:
        'Finds missing and shortened files; exits with 1 if there are any, or if quotas were judged by wrong counts',
    },
    {
      command: 'bale registry check --repair',
      explains: 'The next push of a damaged blob brings it again, for all images that have it',
    },
  ],
  async run({ options, engine, io, signal }) {
    await using admin = await openLocalAdmin(options, engine, io)
    const { quick, repair } = options
    const { blobs, bytes, damaged, regained, unknown, miscounted } = await admin.check({ signal, quick, repair })
    for (const { digest, problem, manifests } of damaged) {
      await io.print(`${digest}: ${problem}`)
      for (const { repository, manifest } of manifests) await io.print(`  needed by ${repository}@${manifest}`)
    }
    await io.print(`Blobs checked: ${blobs} (${bytes} bytes)`)
    await io.print(`Damaged: ${damaged.length}`)
    if (regained > 0) await io.print(`Whole again: ${regained}`)
    await io.print(`Files that nothing knows: ${unknown.objects} (${unknown.bytes} bytes)`)
    for (const repository of miscounted) await io.print(`Wrongly counted for quotas: ${repository}`)
    return damaged.length > 0 || miscounted.length > 0 ? 1 : 0
  },
})
