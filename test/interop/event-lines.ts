/**
 * Reads events as JSON, one a line, and prints for each its type, its action and the names of its attributes: what is the
 * same at every run. Some are printed with their values. For `EVENTS` in cases.
 */
import { readFileSync } from 'node:fs'

interface Message {
  Type: string
  Action: string
  Actor: { Attributes?: Record<string, string> }
}

/** Attributes whose values both tools must agree on. */
const COMPARED = new Set([
  'exitCode',
  'signal',
  'image',
  'name',
  'oldName',
  'driver',
  'type',
  'read/write',
  'destination',
])
/** An attribute that docker has had since version 23. */
const LATER = 'execDuration'
/** An event that docker has had since version 27. */
const isLater = ({ Type, Action }: Message) => Type === 'image' && Action === 'create'
const isChanging = (value: string) => /^(sha256:)?[0-9a-f]{12,64}$/.test(value)

function line({ Type, Action, Actor: { Attributes = {} } }: Message): string {
  const attributes = Object.entries(Attributes)
    .filter(([name]) => name !== LATER)
    .map(([name, value]) => (COMPARED.has(name) && !isChanging(value) ? `${name}=${value}` : name))
  return `${Type} ${Action} (${attributes.sort().join(', ')})`
}

const lines = readFileSync(0, 'utf8').split('\n').filter(Boolean)
const messages = lines.map((text) => JSON.parse(text) as Message).filter((message) => !isLater(message))
console.log(messages.map(line).join('\n'))
