import type { EventMessage } from '#docker'
import { compileTemplate } from './go-template/index.ts'
import { localRfc3339 } from './local-time.ts'

/** How an event is printed: docker's line, `json`, or a Go template. Throws INVALID_ARGUMENT for one that is wrong. */
export function eventLine(format?: string): (message: EventMessage) => string {
  if (!format) return plainLine
  const text = format === 'json' ? '{{json .}}' : format
  const template = compileTemplate(text.replaceAll('\\t', '\t').replaceAll('\\n', '\n'), { rowType: 'events.Message' })
  return (message) => template(withGoNames(message))
}

/** Source: docker/cli, cli/command/system/events.go. */
function plainLine({ Type, Action, Actor, time, timeNano }: EventMessage): string {
  const second = localRfc3339(time * 1000)
  const milliseconds = String(Math.round(timeNano / 1_000_000) % 1000).padStart(3, '0')
  const stamp = `${second.slice(0, 19)}.${milliseconds}000000${second.slice(19)}`
  const attributes = Object.entries(Actor.Attributes).map(([name, value]) => `${name}=${value}`)
  const shown = attributes.length > 0 ? ` (${attributes.join(', ')})` : ''
  return `${stamp} ${Type} ${Action} ${Actor.ID}${shown}`
}

/** Templates name the members as Go does, JSON as docker's messages have them. */
function withGoNames(message: EventMessage): Record<string, unknown> {
  const names = {
    Status: message.status ?? '',
    ID: message.id ?? '',
    From: message.from ?? '',
    Scope: message.scope,
    Time: message.time,
    TimeNano: message.timeNano,
  }
  const hidden = Object.entries(names).map(([name, value]) => [name, { value, enumerable: false }] as const)
  return Object.defineProperties({ ...message }, Object.fromEntries(hidden))
}
