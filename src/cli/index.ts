/**
 * cli: the `bale` command. `main.ts` starts it, `verb-table.ts` names the verbs, each verb is one file in verbs/. It
 * parses and prints; what is done is done by the engine.
 */
export { defineVerb, type Terminal, type Verb, type VerbContext, type VerbOption } from './verb.ts'
export { VERBS, type VerbEntry } from './verb-table.ts'
