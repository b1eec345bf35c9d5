import { BaleError, printable } from '#base'
import { defineVerb } from '../verb/verb.ts'
import { openAdmin, PLACE_OPTIONS } from './registry.ts'

export const verb = defineVerb({
  name: 'registry hook redeliver',
  summary: 'Have the server of a registry deliver to a hook again',
  usage: 'ID [ID...]',
  arguments: { min: 1 },
  options: PLACE_OPTIONS,
  examples: [
    {
      command: 'bale registry hook redeliver 17',
      explains: 'The ID as bale registry hook deliveries shows it; the receiver gets the same event ID as before',
    },
  ],
  async run({ args, options, engine, io }) {
    const ids = args.map(idOf)
    await using admin = await openAdmin(options, engine, io)
    for (const id of ids) {
      await admin.hooks.redeliver(id)
      await io.print(String(id))
    }
    return 0
  },
})

function idOf(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw new BaleError('INVALID_ARGUMENT', `not the ID of a delivery: ${printable(text, 80)}`, {
    next: { act: 'list-registry-deliveries' },
  })
}
