import { isMap, isScalar, LineCounter, parseDocument } from 'yaml'
import { printable } from '#base'

/** A step into a document: the name of a member, or the number of an item. */
export type Step = string | number

/** Something wrong with a file. */
export interface Problem {
  /** Where, as members of the value; empty for the file as a whole. */
  path: readonly Step[]
  /** The member itself is wrong, and not what it has. */
  isMember?: boolean
  message: string
}

/** From 1. */
interface Place {
  line: number
  column: number
}

/** A text of YAML as a plain value. */
export interface PlacedDocument {
  value: unknown
  /** Mistakes of notation. When there are any the value is not to be used. */
  problems: readonly string[]
  /** Where a member or its value stands; for one that is missing, where the group is that lacks it. */
  placeOf(path: readonly Step[], isMember?: boolean): Place
}

/** Reads one document of YAML 1.2, of which JSON is a part. Aliases are refused: a policy must show what it says. */
export function readDocument(text: string): PlacedDocument {
  const lines = new LineCounter()
  const at = (offset: number): Place => {
    const { line, col } = lines.linePos(offset)
    return { line: Math.max(line, 1), column: Math.max(col, 1) }
  }
  const options = { version: '1.2', schema: 'core', stringKeys: true, prettyErrors: false, lineCounter: lines } as const
  const document = parseDocument(text, options)
  const placeOf: PlacedDocument['placeOf'] = (path, isMember = false) => {
    for (let length = path.length; length >= 0; length--) {
      const node = document.getIn(path.slice(0, length), true)
      const isWhole = length === path.length
      const offset =
        isWhole && isMember ? memberAt(document.getIn(path.slice(0, -1), true), path.at(-1)) : startOf(node)
      if (offset !== undefined) return at(offset)
    }
    return { line: 1, column: 1 }
  }
  const notation = [...document.errors, ...document.warnings].map(
    ({ message, pos }) => `${writtenPlace(at(pos[0]))}: ${printable(message, 200)}`,
  )
  if (notation.length > 0) return { value: undefined, problems: notation, placeOf }
  try {
    return { value: document.toJS({ maxAliasCount: 0 }), problems: [], placeOf }
  } catch (error) {
    return { value: undefined, problems: [`1:1: ${printable(String((error as Error).message), 200)}`], placeOf }
  }
}

/** `7:5`. */
function writtenPlace({ line, column }: Place): string {
  return `${line}:${column}`
}

function startOf(node: unknown): number | undefined {
  return (node as { range?: readonly number[] } | null | undefined)?.range?.[0]
}

function memberAt(group: unknown, name: Step | undefined): number | undefined {
  if (!isMap(group)) return undefined
  return startOf(group.items.find(({ key }) => isScalar(key) && key.value === name)?.key)
}
