import { FunctionFailure, type ParameterType, type TemplateFunction } from './functions.ts'
import { TemplateMistake } from './lexer.ts'
import { type Command, type Node, type Operand, operandText, type ParsedTemplate, type Pipe } from './parser.ts'
import {
  GoMethod,
  GoNil,
  goText,
  hasMember,
  isMap,
  isRecord,
  isTrue,
  memberOf,
  NO_VALUE,
  sortedKeys,
  typeName,
} from './values.ts'

interface RunOptions {
  functions: Record<string, TemplateFunction>
  /**
   * Go's type of the data when it is a row of a list: an unknown member is then "can't evaluate field"; otherwise the data
   * is a document of the API, and docker's words for an unknown member are those of a map without the key.
   */
  rowType?: string
}

/** A mistake that shows only with data; carries the operand it happened at. */
export class RunMistake extends TemplateMistake {
  readonly operand: string

  constructor(at: number, operand: string, message: string) {
    super(at, message)
    this.operand = operand
  }
}

const OUTPUT_LIMIT = 64 * 1024 * 1024
const DEPTH_LIMIT = 100

/** Executes a parsed template on data. Throws RunMistake. */
export function runTemplate(template: ParsedTemplate, data: unknown, options: RunOptions): string {
  const run = new Run(template, options)
  run.walk(template.body, data, [{ name: '$', value: data }])
  return run.output
}

interface Variable {
  name: string
  value: unknown
}

/** How a list of nodes ended. */
type Ending = 'break' | 'continue' | undefined

class Run {
  output = ''
  readonly #template: ParsedTemplate
  readonly #options: RunOptions
  #depth = 0

  constructor(template: ParsedTemplate, options: RunOptions) {
    this.#template = template
    this.#options = options
  }

  walk(nodes: readonly Node[], dot: unknown, variables: Variable[]): Ending {
    for (const node of nodes) {
      const ending = this.#node(node, dot, variables)
      if (ending !== undefined) return ending
    }
    return undefined
  }

  #node(node: Node, dot: unknown, variables: Variable[]): Ending {
    switch (node.kind) {
      case 'text':
        this.#write(node.text)
        return undefined
      case 'action': {
        const value = this.#pipe(node.pipe, dot, variables)
        // The value of a declaration is not printed.
        if (node.pipe.variables.length === 0)
          this.#write(value === undefined || value === null ? '<no value>' : goText(value))
        return undefined
      }
      case 'break':
      case 'continue':
        return node.kind
      case 'if':
      case 'with': {
        const inner = [...variables]
        const value = this.#pipe(node.pipe, dot, inner)
        if (isTrue(value)) return this.walk(node.body, node.kind === 'with' ? value : dot, inner)
        return this.walk(node.otherwise, dot, inner)
      }
      case 'range':
        return this.#range(node, dot, variables)
      case 'template':
        this.#call(node, dot, variables)
        return undefined
    }
  }

  #write(text: string): void {
    this.output += text
    if (this.output.length > OUTPUT_LIMIT) throw new TemplateMistake(0, 'the output is too large')
  }

  #range(node: Node & { kind: 'range' }, dot: unknown, outer: Variable[]): Ending {
    const { variables: names, commands } = node.pipe
    const value = this.#pipe({ ...node.pipe, variables: [] }, dot, outer)
    const entries = this.#entries(value, commands[0]!)
    for (const [key, item] of entries) {
      const inner = [...outer]
      const values = names.length === 2 ? [key, item] : [item]
      for (const [index, name] of names.entries()) {
        if (node.pipe.assigns) this.#assign(outer, name, values[index])
        else inner.push({ name, value: values[index] })
      }
      if (this.walk(node.body, item, inner) === 'break') break
    }
    return entries.length === 0 ? this.walk(node.otherwise, dot, [...outer]) : undefined
  }

  #entries(value: unknown, command: Command): [unknown, unknown][] {
    if (Array.isArray(value)) return value.map((item, index) => [index, item])
    if (isRecord(value)) return sortedKeys(value).map((key) => [key, memberOf(value, key)])
    if (value instanceof GoNil || value === NO_VALUE || value === null || value === undefined) return []
    throw new RunMistake(command.at, operandText(command), `range can't iterate over ${goText(value)}`)
  }

  #call(node: Node & { kind: 'template' }, dot: unknown, variables: Variable[]): void {
    const body = this.#template.defined.get(node.name)
    const text = `{{template ${JSON.stringify(node.name)}}}`
    if (body === undefined) throw new RunMistake(node.at, text, `template ${JSON.stringify(node.name)} not defined`)
    if (++this.#depth > DEPTH_LIMIT) throw new RunMistake(node.at, text, 'exceeded maximum template depth')
    const data = node.pipe ? this.#pipe(node.pipe, dot, variables) : undefined
    this.walk(body, data, [{ name: '$', value: data }])
    this.#depth--
  }

  #pipe(pipe: Pipe, dot: unknown, variables: Variable[]): unknown {
    let value: unknown
    for (const [index, command] of pipe.commands.entries()) {
      value = this.#command(command, dot, variables, index === 0 ? [] : [value])
    }
    for (const name of pipe.variables) {
      if (pipe.assigns) this.#assign(variables, name, value)
      else variables.push({ name, value })
    }
    return value
  }

  #assign(variables: Variable[], name: string, value: unknown): void {
    variables.findLast((variable) => variable.name === name)!.value = value
  }

  /** `piped` is the result of the command before, if there was one: it becomes the last argument. */
  #command(command: Command, dot: unknown, variables: Variable[], piped: unknown[]): unknown {
    const [first, ...rest] = command.operands as [Operand, ...Operand[]]
    if (first.kind === 'function') return this.#function(first.name, command, rest, dot, variables, piped)
    const method = this.#method(first, dot, variables)
    if (method)
      return this.#callMethod(method, first, [...rest.map((one) => this.#operand(one, dot, variables)), ...piped])
    if (rest.length > 0 || piped.length > 0) {
      throw new RunMistake(first.at, operandText(first), argumentRefused(first))
    }
    if (first.kind === 'nil') throw new RunMistake(first.at, 'nil', 'nil is not a command')
    return this.#operand(first, dot, variables)
  }

  /** The method that a field names, if it is one. */
  #method(operand: Operand, dot: unknown, variables: Variable[]): GoMethod | undefined {
    if (operand.kind !== 'field' && operand.kind !== 'variable' && operand.kind !== 'chain') return undefined
    const value = this.#fieldOf(operand, dot, variables)
    return value instanceof GoMethod ? value : undefined
  }

  #callMethod({ name, call }: GoMethod, operand: Operand, values: readonly unknown[]): string {
    const fail = (message: string) => new RunMistake(operand.at, operandText(operand), message)
    if (values.length !== 1) throw fail(`wrong number of args for ${name}: want 1 got ${values.length}`)
    const [value] = values
    if (typeof value !== 'string') throw fail(`expected string; found ${goText(value)}`)
    return call(value)
  }

  #operand(operand: Operand, dot: unknown, variables: Variable[]): unknown {
    const value = this.#value(operand, dot, variables)
    return value instanceof GoMethod ? this.#callMethod(value, operand, []) : value
  }

  #fieldOf(operand: Operand & { kind: 'field' | 'variable' | 'chain' }, dot: unknown, variables: Variable[]): unknown {
    if (operand.kind === 'field') return this.#fields(dot, operand.names, operand)
    if (operand.kind === 'chain')
      return this.#fields(this.#operand(operand.base, dot, variables), operand.names, innermost(operand))
    const { value } = variables.findLast((variable) => variable.name === operand.name)!
    return this.#fields(value, operand.names, operand)
  }

  #value(operand: Operand, dot: unknown, variables: Variable[]): unknown {
    switch (operand.kind) {
      case 'literal':
        return operand.value
      case 'nil':
        return null
      case 'dot':
        return dot
      case 'field':
      case 'variable':
      case 'chain':
        return this.#fieldOf(operand, dot, variables)
      case 'pipe':
        return this.#pipe(operand, dot, variables)
      case 'function':
        return this.#function(
          operand.name,
          { kind: 'command', at: operand.at, operands: [operand] },
          [],
          dot,
          variables,
          [],
        )
    }
  }

  #fields(value: unknown, names: readonly string[], operand: Operand): unknown {
    return names.reduce((parent, name, index) => this.#field(parent, name, operand, names[index - 1]), value)
  }

  #field(parent: unknown, name: string, operand: Operand, parentName?: string): unknown {
    const fail = (message: string) => new RunMistake(operand.at, operandText(operand), message)
    if (isRecord(parent)) {
      if (hasMember(parent, name)) return memberOf(parent, name)
      if (isMap(parent)) return NO_VALUE
      if (this.#options.rowType) throw fail(`can't evaluate field ${name} in type ${this.#options.rowType}`)
      throw fail(`map has no entry for key ${JSON.stringify(name)}`)
    }
    if (parent instanceof GoNil && parent.of === 'map') return NO_VALUE
    // In JSON a nil pointer is left out, and docker's message is the one for a missing member.
    if (parent instanceof GoNil && parent.of === 'pointer' && parentName) {
      throw fail(`map has no entry for key ${JSON.stringify(parentName)}`)
    }
    if (parent === NO_VALUE) return NO_VALUE
    if (parent === null || parent === undefined) {
      throw fail(`nil data; no entry for key ${JSON.stringify(name)}`)
    }
    throw fail(`can't evaluate field ${name} in type interface {}`)
  }

  #function(
    name: string,
    command: Command,
    operands: readonly Operand[],
    dot: unknown,
    variables: Variable[],
    piped: unknown[],
  ): unknown {
    const definition = this.#options.functions[name]!
    const count = operands.length + piped.length
    const least = definition.parameters.length - (definition.variadic ? 1 : 0)
    const fail = (message: string) => new RunMistake(command.at, operandText(command), message)
    if (count < least || (!definition.variadic && count > least)) {
      const want = definition.variadic ? `at least ${least}` : String(least)
      throw new RunMistake(command.at, name, `wrong number of args for ${name}: want ${want} got ${count}`)
    }
    const values: unknown[] = []
    for (const [index, operand] of operands.entries()) {
      const value = this.#operand(operand, dot, variables)
      values.push(this.#argument(value, parameterAt(definition, index), operand))
      // These two do not evaluate the rest once the answer is known.
      if ((name === 'or' && isTrue(value)) || (name === 'and' && !isTrue(value))) return value
    }
    if (piped.length > 0)
      values.push(this.#argument(piped[0], parameterAt(definition, operands.length), operands.at(-1) ?? command))
    try {
      return (definition.call as (...all: unknown[]) => unknown)(...values)
    } catch (error) {
      if (error instanceof FunctionFailure) throw fail(`error calling ${name}: ${error.message}`)
      throw error
    }
  }

  #argument(value: unknown, type: ParameterType, operand: Operand | Command): unknown {
    if (type === 'any') return value
    if (type === 'string' && typeof value === 'string') return value
    if (type === 'int' && Number.isInteger(value)) return value
    if (type === 'strings' && (value instanceof GoNil || value === NO_VALUE)) return []
    if (type === 'strings' && Array.isArray(value) && value.every((item) => typeof item === 'string')) return value
    const expected = type === 'strings' ? '[]string' : type
    const isLiteral = operand.kind === 'literal'
    throw new RunMistake(
      operand.at,
      operandText(operand),
      isLiteral
        ? `expected ${expected === 'int' ? 'integer' : expected}; found ${operandText(operand)}`
        : `wrong type for value; expected ${expected}; got ${typeName(value)}`,
    )
  }
}

/** For a mistake after parentheses Go reports the first field inside them as its place. */
function innermost(operand: Operand): Operand {
  if (operand.kind === 'chain') return innermost(operand.base)
  const first = operand.kind === 'pipe' ? operand.commands[0]?.operands : undefined
  return first?.length === 1 ? innermost(first[0]!) : operand
}

function argumentRefused(operand: Operand): string {
  const isField = operand.kind === 'field' || (operand.kind === 'variable' && operand.names.length > 0)
  if (isField) return `${operand.names.at(-1)} is not a method but has arguments`
  return `can't give argument to non-function ${operandText(operand)}`
}

function parameterAt({ parameters }: TemplateFunction, index: number): ParameterType {
  return parameters[Math.min(index, parameters.length - 1)]!
}
