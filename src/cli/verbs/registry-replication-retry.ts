import { BaleError } from '#base'
import { defineVerb } from '../verb/verb.ts'
import { openAdmin, PLACE_OPTIONS } from './registry.ts'

export const verb = defineVerb({
  name: 'registry replication retry',
  summary: 'Have the server of a registry try again what it could not replicate, now',
  usage: 'RULE|ID',
  arguments: { min: 1, max: 1 },
  options: [...PLACE_OPTIONS, { flags: '--task', description: 'The argument is the ID of one task, and not a rule' }],
  examples: [
    { command: 'bale registry replication retry site', explains: 'All of a rule that failed or waits for another try' },
    {
      command: 'bale registry replication retry --task 12',
      explains: 'One task, as registry replication tasks lists it',
    },
  ],
  async run({ args, options: { task, ...place }, engine, io }) {
    const [what] = args as [string]
    await using admin = await openAdmin(place, engine, io)
    const count = await admin.replications.retry(task ? { task: idOf(what) } : { rule: what })
    await io.print(`Tasks that are tried again: ${count}`)
    return 0
  },
})

function idOf(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text)
  throw new BaleError('INVALID_ARGUMENT', `not the ID of a task: ${text}`)
}
