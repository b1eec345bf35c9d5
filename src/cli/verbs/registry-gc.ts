import { BaleError } from '#base'
import { defineVerb } from '../verb/verb.ts'
import { openAdmin, PLACE_OPTIONS } from './registry.ts'

const HOUR = 3_600_000

export const verb = defineVerb({
  name: 'registry gc',
  summary: 'Remove unreferenced content from a registry, even while it is served',
  arguments: { max: 0 },
  options: [
    ...PLACE_OPTIONS,
    {
      flags: '--untagged-older-than <HOURS>',
      description: 'Also remove manifests without a tag, index or subject that are older than this',
    },
    {
      flags: '--restorable-for <HOURS>',
      description:
        'Among them, keep those that lost a tag so lately, so that it can be set back; 168 (seven days) by default',
    },
    {
      flags: '--uploads-older-than <HOURS>',
      description: 'Also remove unfinished uploads to which nothing was added for this long; 24 by default',
    },
    {
      flags: '--grace <HOURS>',
      description: 'How long bytes marked for removal stay for running downloads; 1 by default',
    },
  ],
  examples: [
    {
      command: 'bale registry gc',
      explains: 'Blobs are kept for a day after their push, and for an hour after they were marked for removal',
    },
    {
      command: 'bale registry gc --untagged-older-than 720',
      explains: 'Untagged manifests of more than thirty days, too',
    },
    {
      command: 'bale registry gc --uploads-older-than 0 --grace 0',
      explains: 'On a full disk: all that can go, at once; interrupted pushes begin again',
    },
  ],
  async run({ options, engine, io, signal }) {
    const how = {
      untaggedOlderThan: hours(options.untaggedOlderThan),
      restorableFor: hours(options.restorableFor),
      uploadsOlderThan: hours(options.uploadsOlderThan),
      grace: hours(options.grace),
    }
    await using admin = await openAdmin(options, engine, io)
    const { uploads, tags, manifests, blobs, bytes, objects } = await admin.collectGarbage({ signal, ...how })
    await io.print(`Uploads that were never finished: ${uploads}`)
    await io.print(`Tags that no policy keeps: ${tags}`)
    await io.print(`Untagged manifests removed: ${manifests}`)
    await io.print(`Blobs condemned: ${blobs} (${bytes} bytes)`)
    await io.print(`Files deleted: ${objects}`)
    return 0
  },
})

function hours(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (/^\d{1,7}$/.test(text)) return Number(text) * HOUR
  throw new BaleError('INVALID_ARGUMENT', `not a number of hours: ${text}`)
}
