import type { Flag } from './instruction.ts'

interface SplitInstruction {
  keyword: string
  flags: Flag[]
  argument: string
  argumentOffset: number
}

/** Splits keyword, flags and argument of one logical line; `start` skips a prefix (ONBUILD). */
export function splitInstruction(text: string, start: number, escapeCharacter: string): SplitInstruction {
  let index = skipBlank(text, start)
  const keywordStart = index
  while (index < text.length && !isBlank(text[index]!)) index++
  const keyword = text.slice(keywordStart, index)

  const flags: Flag[] = []
  for (;;) {
    index = skipBlank(text, index)
    if (!text.startsWith('--', index)) break
    const offset = index
    const word = readFlag(text, index, escapeCharacter)
    index = word.end
    if (word.text === '--') {
      index = skipBlank(text, index)
      break
    }
    const equals = word.text.indexOf('=')
    flags.push(
      equals < 0
        ? { name: word.text.slice(2), value: undefined, offset }
        : { name: word.text.slice(2, equals), value: word.text.slice(equals + 1), offset },
    )
  }
  return { keyword, flags, argument: text.slice(index).trimEnd(), argumentOffset: index }
}

/** A flag ends at the first blank outside quotes; quotes and escape characters are removed. */
function readFlag(text: string, start: number, escapeCharacter: string): { text: string; end: number } {
  let index = start
  let word = ''
  let quote: string | undefined
  for (; index < text.length; index++) {
    let character = text[index]!
    if (quote === undefined && isBlank(character)) break
    if (character === quote) {
      quote = undefined
      continue
    }
    if (quote === undefined && (character === '"' || character === "'")) {
      quote = character
      continue
    }
    if (character === escapeCharacter) {
      index++
      if (index >= text.length) break
      character = text[index]!
    }
    word += character
  }
  return { text: word, end: index }
}

function skipBlank(text: string, start: number): number {
  let index = start
  while (index < text.length && isBlank(text[index]!)) index++
  return index
}

function isBlank(character: string): boolean {
  return /\s/.test(character)
}
