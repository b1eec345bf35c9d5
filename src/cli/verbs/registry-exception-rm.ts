import { BaleError, printable } from '#base'
import { defineVerb } from '../verb/verb.ts'
import { openAdmin, PLACE_OPTIONS } from './registry.ts'

export const verb = defineVerb({
  name: 'registry exception rm',
  summary: 'Have the gates of a registry count vulnerabilities again',
  usage: 'ID [ID...]',
  arguments: { min: 1 },
  options: PLACE_OPTIONS,
  examples: [{ command: 'bale registry exception rm 3', explains: 'The ID as bale registry exception ls shows it' }],
  async run({ args, options, engine, io }) {
    const ids = args.map(idOf)
    await using admin = await openAdmin(options, engine, io)
    for (const id of ids) {
      await admin.exceptions.remove(id)
      await io.print(String(id))
    }
    return 0
  },
})

function idOf(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw new BaleError('INVALID_ARGUMENT', `not the ID of an exception: ${printable(text, 80)}`, {
    next: { act: 'list-registry-exceptions' },
  })
}
