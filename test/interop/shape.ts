/** Reads JSON and prints one line for each member, with its type; empty things and null as they are. For `SHAPE` in cases. */
import { readFileSync } from 'node:fs'

function* lines(path: string, value: unknown): Generator<string> {
  const members = typeof value === 'object' && value !== null ? Object.entries(value) : []
  if (members.length === 0) {
    yield `${path}: ${value === null || typeof value === 'object' ? JSON.stringify(value) : typeof value}`
  }
  for (const [name, member] of members) yield* lines(Array.isArray(value) ? `${path}[]` : `${path}.${name}`, member)
}

console.log([...new Set(lines('', JSON.parse(readFileSync(0, 'utf8'))))].sort().join('\n'))
