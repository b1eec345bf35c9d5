import { BaleError, isBaleError } from '#base'
import type { Instruction } from './instruction.ts'
import { positionIn } from './logical-line.ts'
import { Mistake } from './mistake.ts'
import { errorAt, type Origin, originAt, type SourcePosition } from './source.ts'

/** Where an instruction begins, as data that needs no file any more. */
export function originOf(instruction: Instruction): Origin {
  return originAt(instruction.source, instruction.range.start)
}

/**
 * Gives errors their place in the Dockerfile: a Mistake becomes DOCKERFILE_INVALID at the word that is wrong, any other
 * error of bale gets file, line and the line itself in front. What has a place already, and a cancellation, stay.
 */
export function explainAt(place: Instruction | Origin): (error: unknown) => unknown {
  return (error) => {
    if (error instanceof Mistake) return errorAt(originOfMistake(place, error), error.message, { cause: error })
    if (!isBaleError(error) || error.code === 'ABORTED' || error.details['line'] !== undefined) return error
    const origin = 'range' in place ? originOf(place) : place
    const shown = errorAt(origin, error.message)
    const details = { ...error.details, ...shown.details, place: `${origin.file}:${origin.line}:${origin.column}` }
    return new BaleError(error.code, shown.message, { hint: error.hint, next: error.next, cause: error, details })
  }
}

function originOfMistake(place: Instruction | Origin, { word, offset }: Mistake): Origin {
  if (!('range' in place)) return place
  const position = word === undefined ? undefined : placeOfWord(place, word, offset)
  return originAt(place.source, position ?? place.range.start)
}

/**
 * The position of a word in an instruction. Words are kept as written, so they are found by their text; one that stands alone
 * is preferred to the same letters inside another. Undefined for text that the line does not have: bodies of heredocs, flags
 * with quotes.
 */
function placeOfWord(instruction: Instruction, word: string, offset = 0): SourcePosition | undefined {
  const { line } = instruction
  const found: number[] = []
  if (word !== '') for (let at = line.text.indexOf(word); at >= 0; at = line.text.indexOf(word, at + 1)) found.push(at)
  const isAlone = (at: number) => {
    const before = line.text[at - 1] ?? ' '
    const after = line.text[at + word.length] ?? ' '
    return /[\s=,["]/.test(before) && /[\s=,\]"]/.test(after)
  }
  const start = found.find(isAlone) ?? found[0]
  return start === undefined ? undefined : positionIn(line, start + offset)
}
