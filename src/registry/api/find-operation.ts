import type { OperationName } from './administration.ts'
import type { Operation } from './operation.ts'
import { OPERATIONS } from './operations.ts'

/** An operation that is asked for, and the parameters of its path as texts. */
export interface FoundOperation {
  name: OperationName | 'me'
  operation: Operation
  parameters: Readonly<Record<string, string>>
}

/**
 * What a path below `/api/v1` means. Its parts are decoded once, and then are texts that the schemas judge; a path that cannot be
 * decoded is none. `methods` are those of a path that has others; undefined when nothing is there.
 */
export function findOperation(method: string, path: string): FoundOperation | { methods: string[] } | undefined {
  const parts = decodedParts(path)
  if (!parts) return undefined
  const there = TABLE.flatMap(({ name, operation, shape }) => {
    const parameters = matched(shape, parts)
    return parameters ? [{ name, operation, parameters }] : []
  })
  if (there.length === 0) return undefined
  const found = there.find(({ operation }) => operation.method === method)
  return found ?? { methods: [...new Set(there.map(({ operation }) => operation.method))] }
}

/** Those with fewer parameters first: `/policies/keep` is no `/policies/{id}`. */
const TABLE = Object.entries(OPERATIONS)
  .map(([name, operation]) => ({
    name: name as FoundOperation['name'],
    operation,
    shape: operation.path.split('/').slice(1),
  }))
  .sort((one, other) => parameterCount(one.shape) - parameterCount(other.shape))

function parameterCount(shape: readonly string[]): number {
  return shape.filter((part) => part.startsWith('{')).length
}

function decodedParts(path: string): string[] | undefined {
  try {
    return path.split('/').slice(1).map(decodeURIComponent)
  } catch (error) {
    if (error instanceof URIError) return undefined
    throw error
  }
}

function matched(shape: readonly string[], parts: readonly string[]): Record<string, string> | undefined {
  if (shape.length !== parts.length) return undefined
  const parameters: Record<string, string> = {}
  for (const [index, word] of shape.entries()) {
    const part = parts[index]!
    if (word.startsWith('{') && part !== '') parameters[word.slice(1, -1)] = part
    else if (word !== part) return undefined
  }
  return parameters
}
