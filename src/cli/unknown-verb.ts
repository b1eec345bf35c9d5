import { nearest } from '#base'
import { nounHelp } from './render-help.ts'
import type { VerbEntry } from './verb-table.ts'

/** The text for words that are no verb, and where it goes; a noun alone lists the verbs below it. */
interface UnknownVerb {
  text: string
  /** Help was requested: it goes to standard output, with exit code 0; otherwise standard error and 1. */
  asked: boolean
}

/** Words that are no verb: the verbs of a noun (`bale image`), or a mistake with the verb that was most likely meant. */
export function unknownVerb(words: readonly string[], verbs: readonly VerbEntry[]): UnknownVerb {
  const names = verbs.filter(({ internal }) => !internal).flatMap((verb) => verb.names)
  const noun = longestNoun(words, names)
  const strange = words[noun.length]
  const group = noun.join(' ')
  if (noun.length > 0 && (strange === undefined || strange === '--help' || strange === '-h'))
    return { text: `${nounHelp(group)}\n`, asked: true }
  const typed = [...noun, strange].join(' ')
  const meant = nearest(strange!, nextWords(noun, names))
  const suggestion = meant === undefined ? '' : `Did you mean 'bale ${[...noun, meant].join(' ')}'?\n`
  const more = noun.length > 0 ? nounHelp(group) : "See 'bale --help'"
  return { text: `bale: '${typed}' is not a bale command.\n${suggestion}${more}\n`, asked: false }
}

/** As many of the first words as names of verbs begin with: `registry user` of `registry user ad`. */
function longestNoun(words: readonly string[], names: readonly string[]): readonly string[] {
  for (let length = words.length; length > 0; length--) {
    const noun = words.slice(0, length)
    if (nextWords(noun, names).length > 0) return noun
  }
  return []
}

function nextWords(noun: readonly string[], names: readonly string[]): string[] {
  const below = names.map((name) => name.split(' ')).filter((parts) => noun.every((word, at) => word === parts[at]))
  return [...new Set(below.flatMap((parts) => parts[noun.length] ?? []))]
}
