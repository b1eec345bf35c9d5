import { BaleError } from '#base'
import { DOCKER_FUNCTIONS, HEADER_FUNCTIONS, rowJson } from './format-functions.ts'
import { BUILT_IN, type TemplateFunction } from './functions.ts'
import { TemplateMistake } from './lexer.ts'
import { parseTemplate } from './parser.ts'
import { RunMistake, runTemplate } from './run.ts'

interface TemplateOptions {
  /**
   * Go's name for a row of a list (`*formatter.imageContext`), when the data is one: it stands in docker's message for an
   * unknown member, and `{{json .}}` writes the row as docker does. Without it the data is a document of the API.
   */
  rowType?: string
  /** For the titles of a table: docker's functions change nothing there. */
  header?: boolean
}

export type Template = (data: unknown) => string

/**
 * Compiles the template of a `--format` flag: Go's text/template with docker's functions. Throws INVALID_ARGUMENT with
 * docker's words for a template that cannot be read, and the result does so for one that does not fit its data.
 */
export function compileTemplate(text: string, options: TemplateOptions = {}): Template {
  const functions = { ...BUILT_IN, ...(options.header ? HEADER_FUNCTIONS : DOCKER_FUNCTIONS) }
  const parsed = explained(text, () => parseTemplate(text, (name) => Object.hasOwn(functions, name)))
  return (data) => {
    const forData = options.rowType && !options.header ? { ...functions, json: jsonOfRows(data) } : functions
    return explained(text, () => runTemplate(parsed, data, { functions: forData, rowType: options.rowType }))
  }
}

function jsonOfRows(row: unknown): TemplateFunction {
  const call = (value: unknown) =>
    value === row
      ? rowJson(row as Record<string, unknown>)
      : (DOCKER_FUNCTIONS.json!.call as (value: unknown) => string)(value)
  return { parameters: ['any'], call }
}

function explained<T>(text: string, task: () => T): T {
  try {
    return task()
  } catch (error) {
    if (!(error instanceof TemplateMistake)) throw error
    throw new BaleError('INVALID_ARGUMENT', `template parsing error: ${goMessage(text, error)}`, { cause: error })
  }
}

/** `template: :1:2: executing "" at <.X>: …` for a run, `template: :1: …` for a parse. The template has no name. */
function goMessage(text: string, mistake: TemplateMistake): string {
  const before = text.slice(0, mistake.at)
  const line = before.split('\n').length
  if (!(mistake instanceof RunMistake)) return `template: :${line}: ${mistake.message}`
  const column = Buffer.byteLength(before.slice(before.lastIndexOf('\n') + 1))
  return `template: :${line}:${column}: executing "" at <${mistake.operand}>: ${mistake.message}`
}
