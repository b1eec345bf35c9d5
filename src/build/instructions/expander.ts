import { expandWord, expandWords, type Instruction } from '../dockerfile/index.ts'

/** Fills variables into the words of one instruction. Every member throws a Mistake that names the word. */
export interface Expander {
  /** One word: quotes and escapes are resolved. */
  text(word: string): string
  /** One text that may yield several words. */
  list(text: string): string[]
  /** The body of a heredoc: quotes mean nothing. */
  body(content: string): string
  /** Names that had no value, with the word that contains them. */
  readonly unset: readonly { name: string; word: string }[]
}

export function createExpander(
  instruction: Pick<Instruction, 'escapeCharacter'>,
  variables: ReadonlyMap<string, string>,
): Expander {
  const { escapeCharacter } = instruction
  const unset: { name: string; word: string }[] = []
  const lookUp = (name: string) => variables.get(name)
  const noted = (word: string, options: Parameters<typeof expandWord>[2]) => {
    const { text, missing } = expandWord(word, lookUp, options)
    for (const name of missing) unset.push({ name, word })
    return text
  }
  return {
    text: (word) => noted(word, { escape: escapeCharacter }),
    list(text) {
      noted(text, { escape: escapeCharacter })
      return expandWords(text, lookUp, { escape: escapeCharacter })
    },
    body: (content) => noted(content, { escape: '\\', ignoreQuotes: true }),
    unset,
  }
}
