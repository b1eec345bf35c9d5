import { type Node, parsePattern } from './pattern-syntax.ts'

/** A pattern of Go's regexp (RE2): no look-around, no references back, and time linear in the text. */
export interface Pattern {
  /** It fits somewhere in the text. */
  test(text: string): boolean
}

type Step =
  | { kind: 'character'; test(code: number): boolean; next: number }
  | { kind: 'place'; holds(before: number, after: number): boolean; next: number }
  | { kind: 'fork'; next: number; other: number }
  | { kind: 'end' }

/** Go's own limit is of the same size; a pattern on a command line is far below. */
const MOST_STEPS = 100_000

/** Undefined when it is no pattern. */
export function compilePattern(text: string): Pattern | undefined {
  const tree = parsePattern(text)
  if (!tree) return undefined
  const steps: Step[] = [{ kind: 'end' }]
  const start = emit(tree, 0, steps)
  return start === undefined ? undefined : { test: (subject) => run(steps, start, subject) }
}

/** Adds the steps of a node in front of the step `next`; answers the first one, undefined when there are too many. */
function emit(node: Node, next: number, steps: Step[]): number | undefined {
  if (steps.length > MOST_STEPS) return undefined
  switch (node.kind) {
    case 'character':
    case 'place':
      return steps.push({ ...node, next }) - 1
    case 'sequence': {
      let at: number | undefined = next
      for (const part of node.parts.toReversed()) at = at === undefined ? undefined : emit(part, at, steps)
      return at
    }
    case 'choice': {
      const [first, ...others] = node.parts.map((part) => emit(part, next, steps))
      return others.reduce((left, right) => fork(left, right, steps), first)
    }
    case 'repeat':
      return emitRepeat(node, next, steps)
  }
}

function fork(next: number | undefined, other: number | undefined, steps: Step[]): number | undefined {
  return next === undefined || other === undefined ? undefined : steps.push({ kind: 'fork', next, other }) - 1
}

function emitRepeat({ of, least, most }: Node & { kind: 'repeat' }, next: number, steps: Step[]): number | undefined {
  let at: number | undefined = next
  if (most === undefined) {
    const loop = { kind: 'fork' as const, next, other: next }
    at = steps.push(loop) - 1
    const body = emit(of, at, steps)
    if (body === undefined) return undefined
    loop.other = body
  } else {
    // a{2,4} is aa(a(a)?)?
    for (let count = least; count < most && at !== undefined; count++) at = fork(next, emit(of, at, steps), steps)
  }
  for (let count = 0; count < least && at !== undefined; count++) at = emit(of, at, steps)
  return at
}

/** Follows all ways through the steps at once. */
function run(steps: readonly Step[], start: number, text: string): boolean {
  const codes = Array.from(text, (character) => character.codePointAt(0)!)
  let current: number[] = []
  for (let at = 0; at <= codes.length; at++) {
    const before = codes[at - 1] ?? -1
    const after = codes[at] ?? -1
    const reached = reach(steps, [...current, start], before, after)
    if (reached === 'end') return true
    current = reached.flatMap((index) => {
      const step = steps[index]!
      return step.kind === 'character' && after >= 0 && step.test(after) ? [step.next] : []
    })
  }
  return false
}

/** The character steps that can be reached from some steps without taking a character. */
function reach(steps: readonly Step[], from: readonly number[], before: number, after: number): number[] | 'end' {
  const seen = new Set<number>()
  const waiting = [...from]
  const found: number[] = []
  for (let index = waiting.pop(); index !== undefined; index = waiting.pop()) {
    if (seen.has(index)) continue
    seen.add(index)
    const step = steps[index]!
    if (step.kind === 'end') return 'end'
    if (step.kind === 'character') found.push(index)
    else if (step.kind === 'fork') waiting.push(step.next, step.other)
    else if (step.holds(before, after)) waiting.push(step.next)
  }
  return found
}
