/**
 * cli/render/go-template: Go's text/template as docker's `--format` has it: its language, printf, and docker's functions
 * (json, table, join …). Promises: the text and the mistakes of Go's own, held by recorded output. Does not: know verbs or lists.
 */
export { compileTemplate, type Template } from './compile-template.ts'
export { goJson, rowJson } from './format-functions.ts'
export { GoMethod, GoStringer, GoTime, sortedKeys } from './values.ts'
