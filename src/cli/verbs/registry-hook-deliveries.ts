import { alignColumns } from '../render/align-columns.ts'
import { localRfc3339 } from '../render/local-time.ts'
import { defineVerb } from '../verb/verb.ts'
import { type Delivery, openAdmin, PLACE_OPTIONS } from './registry.ts'
import { lineLimit } from './registry-accounts.ts'

export const verb = defineVerb({
  name: 'registry hook deliveries',
  summary: 'List what hooks of a registry were told or are still to be told, newest first',
  usage: '[NAME]',
  arguments: { max: 1 },
  options: [
    ...PLACE_OPTIONS,
    {
      flags: '--state <STATE>',
      description: 'Only those that are delivered, pending, or given up (dead)',
      choices: ['pending', 'delivered', 'dead'],
    },
    { flags: '--limit <NUMBER>', description: 'Show at most so many', default: '100' },
  ],
  examples: [
    {
      command: 'bale registry hook deliveries --state dead scanner',
      explains: 'What was not taken until it was given up, and why',
    },
  ],
  async run({ args, options, engine, io }) {
    const limit = lineLimit(options.limit)
    await using admin = await openAdmin(options, engine, io)
    // The choices of the flag are the states.
    const which = { hook: args[0], state: options.state as Delivery['state'] | undefined }
    const found: Delivery[] = []
    for (let more = true; more; ) {
      const page = { before: found.at(-1)?.id, limit: Math.min(AT_ONCE, limit - found.length) }
      const some = await admin.hooks.deliveries({ ...which, ...page })
      found.push(...some)
      more = some.length === page.limit && found.length < limit
    }
    const rows = found.map(row)
    await io.print(alignColumns(['ID\tHOOK\tEVENT\tTARGET\tTIME\tSTATE\tATTEMPTS\tLAST', ...rows].join('\n')))
    return 0
  },
})

const AT_ONCE = 500

function row({ id, hook, action, target, at, state, attempts, status, failure, answer }: Delivery): string {
  const last = [failure ?? status ?? '', ...(answer === undefined ? [] : [answer])].join(': ')
  return [id, hook, action, target, localRfc3339(at), state, attempts, last].join('\t')
}
