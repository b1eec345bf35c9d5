import { Mistake } from './mistake.ts'

/** The words of an argument split at blanks outside quotes; quotes and escapes are kept (expanded later). */
export function splitQuotedWords(text: string, escapeCharacter: string): string[] {
  const words: string[] = []
  let word = ''
  let quote: string | undefined
  for (let index = 0; index < text.length; index++) {
    const character = text[index]!
    if (quote === undefined && /\s/.test(character)) {
      if (word !== '') words.push(word)
      word = ''
      continue
    }
    if (character === escapeCharacter && quote !== "'") {
      // At the very end it means nothing.
      if (index + 1 < text.length) word += character + text[++index]!
      continue
    }
    if (quote === undefined && (character === '"' || character === "'")) quote = character
    else if (character === quote) quote = undefined
    word += character
  }
  if (word !== '') words.push(word)
  return words
}

export interface KeyValue {
  name: string
  value: string
}

/**
 * ENV and LABEL: `a=b c="d e"`, or the old form `name rest of the line`. Names and values are as written, to be expanded.
 * Throws a Mistake.
 */
export function parseKeyValues(
  argument: string,
  keyword: string,
  escapeCharacter: string,
): { pairs: KeyValue[]; isLegacy: boolean } {
  const words = splitQuotedWords(argument, escapeCharacter)
  if (words.length === 0) throw new Mistake(`${keyword} requires at least one argument`)
  if (!words[0]!.includes('=')) {
    const match = /^(\S+)\s+([\s\S]+)$/.exec(argument)
    if (!match) throw new Mistake(`${keyword} must have two arguments`, { word: argument })
    return { pairs: [{ name: match[1]!, value: match[2]! }], isLegacy: true }
  }
  const pairs = words.map((word) => {
    const equals = word.indexOf('=')
    if (equals < 0)
      throw new Mistake(`can't find = in ${JSON.stringify(word)}: must be of the form name=value`, { word })
    if (equals === 0) throw new Mistake(`${keyword} names can not be blank`, { word })
    return { name: word.slice(0, equals), value: word.slice(equals + 1) }
  })
  return { pairs, isLegacy: false }
}
