/**
 * cli: the `bale` command. `main.ts` starts it, `verb-table.ts` names the verbs, each verb is one file in verbs/. It
 * parses and prints; what is done is done by the engine.
 */
export type { OptionsOf, VerbOption } from './flags/verb-option.ts'
export type { Terminal } from './terminal/terminal.ts'
export { defineVerb, type Verb, type VerbContext } from './verb/verb.ts'
export { VERBS, type VerbEntry } from './verb-table.ts'
