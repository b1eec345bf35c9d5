import { BaleError } from '#base'
import { millisecondsOf } from '#docker'
import { parseTime } from '../flags/flag-values.ts'
import { defineVerb } from '../verb/verb.ts'
import { type AuditEntry, openAdmin, PLACE_OPTIONS } from './registry.ts'

export const verb = defineVerb({
  name: 'registry audit',
  summary: 'Show what was changed and refused in a registry, and by whom, newest first',
  arguments: { max: 0 },
  options: [
    ...PLACE_OPTIONS,
    { flags: '--actor <ACTOR>', description: 'Only what this one did: operator, anonymous, user:ann, robot:acme+ci' },
    { flags: '--action <ACTION>', description: 'Only this action; a star stands for anything: token.*' },
    { flags: '--target <TARGET>', description: 'Only what concerns this; a star stands for anything: acme/*' },
    { flags: '--refused', description: 'Only what was refused' },
    { flags: '--since <TIME>', description: 'Only what happened after a time, or a duration ago such as 24h' },
    { flags: '--until <TIME>', description: 'Only what happened before a time, or a duration ago' },
    { flags: '-n, --lines <LINES>', description: 'At most so many entries; all by default' },
    {
      flags: '--format <FORMAT>',
      description: 'text, or json: an object a line',
      default: 'text',
      choices: ['text', 'json'],
    },
  ],
  examples: [
    { command: 'bale registry audit --since 24h --refused', explains: 'Who wanted what and was not let' },
    { command: "bale registry audit --action 'grant.*' --target acme", explains: 'How the rights of acme came to be' },
    { command: 'bale registry audit --format json > audit.jsonl', explains: 'To keep or search elsewhere' },
  ],
  async run({ options, engine, io }) {
    const { actor, action, target, refused, since, until } = options
    const filter = {
      ...{ actor, action, target },
      outcome: refused ? ('refused' as const) : undefined,
      since: since === undefined ? undefined : millisecondsOf(parseTime('since', since)),
      until: until === undefined ? undefined : millisecondsOf(parseTime('until', until)),
    }
    let left = lines(options.lines)
    const line = options.format === 'json' ? jsonLine : textLine
    await using admin = await openAdmin(options, engine, io)
    if (left === 0) return 0
    for await (const entry of admin.audit.entries(filter)) {
      await io.print(line(entry))
      if (--left === 0) break
    }
    return 0
  },
})

function lines(text: string | undefined): number {
  if (text === undefined) return Number.POSITIVE_INFINITY
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw new BaleError('INVALID_ARGUMENT', `not a number of lines: ${text}`)
}

function textLine({ at, actor, address, action, target, outcome, detail }: AuditEntry): string {
  const who = address === undefined ? actor : `${actor} (${address})`
  const what = outcome === 'refused' ? `${action} refused` : action
  return [new Date(at).toISOString(), who, what, target, ...(detail === undefined ? [] : [`(${detail})`])].join(' ')
}

function jsonLine({ at, ...entry }: AuditEntry): string {
  return JSON.stringify({ time: new Date(at).toISOString(), ...entry })
}
