import { table } from '#base'
import { TemplateMistake, type Token, tokenize } from './lexer.ts'
import { GoFloat } from './values.ts'

export type Node =
  | { kind: 'text'; text: string }
  | { kind: 'action'; pipe: Pipe }
  | Control<'if'>
  | Control<'with'>
  | Control<'range'>
  | { kind: 'break' | 'continue' }
  | { kind: 'template'; name: string; pipe?: Pipe; at: number }

interface Control<Kind> {
  kind: Kind
  pipe: Pipe
  body: Node[]
  otherwise: Node[]
}

/** Commands joined by `|`, with the variables that get the result. */
export interface Pipe {
  kind: 'pipe'
  at: number
  variables: string[]
  /** `=`, which assigns to an existing variable, instead of `:=`. */
  assigns: boolean
  commands: Command[]
}

export interface Command {
  kind: 'command'
  at: number
  operands: Operand[]
}

export type Operand =
  | { kind: 'literal'; at: number; text: string; value: string | number | boolean | GoFloat }
  | { kind: 'nil'; at: number }
  | { kind: 'dot'; at: number }
  | { kind: 'field'; at: number; names: string[] }
  | { kind: 'variable'; at: number; name: string; names: string[] }
  | { kind: 'function'; at: number; name: string }
  | { kind: 'chain'; at: number; base: Operand; names: string[] }
  | Pipe

export interface ParsedTemplate {
  body: Node[]
  /** Templates that `define` and `block` name. */
  defined: Map<string, Node[]>
}

/** Throws TemplateMistake. `hasFunction` is true for names that may be called. */
export function parseTemplate(source: string, hasFunction: (name: string) => boolean): ParsedTemplate {
  return new Parser(tokenize(source), hasFunction).parse()
}

class Parser {
  readonly #tokens: Token[]
  readonly #hasFunction: (name: string) => boolean
  readonly #defined = new Map<string, Node[]>()
  #next = 0
  #variables = ['$']
  #loops = 0

  constructor(tokens: Token[], hasFunction: (name: string) => boolean) {
    this.#tokens = tokens
    this.#hasFunction = hasFunction
  }

  parse(): ParsedTemplate {
    const { nodes, ended } = this.#list()
    if (ended.text !== '') throw new TemplateMistake(ended.at, `unexpected {{${ended.text}}}`)
    return { body: nodes, defined: this.#defined }
  }

  #peek(): Token {
    return this.#tokens[this.#next]!
  }

  #take(): Token {
    return this.#tokens[this.#next++]!
  }

  /** Nodes up to `end`, `else` or the end of the text; `ended` is which of them it was. */
  #list(): { nodes: Node[]; ended: Token } {
    const nodes: Node[] = []
    for (;;) {
      const token = this.#take()
      if (token.type === 'end of text') return { nodes, ended: token }
      if (token.type === 'text') {
        nodes.push({ kind: 'text', text: token.text })
        continue
      }
      const first = this.#peek()
      if (first.type === 'keyword' && (first.text === 'end' || first.text === 'else')) {
        return { nodes, ended: this.#take() }
      }
      nodes.push(...this.#action(first))
    }
  }

  #action(first: Token): Node[] {
    if (first.type !== 'keyword') return [{ kind: 'action', pipe: this.#pipe('command', 'close') }]
    this.#take()
    switch (first.text) {
      case 'if':
      case 'with':
      case 'range':
        return [this.#control(first.text)]
      case 'break':
      case 'continue':
        if (this.#loops === 0) throw new TemplateMistake(first.at, `{{${first.text}}} outside {{range}}`)
        this.#close(first.text)
        return [{ kind: first.text }]
      case 'define':
        this.#define(this.#string('define'))
        return []
      case 'template':
        return [this.#call()]
      default:
        return [this.#block(first)]
    }
  }

  #control(kind: 'if' | 'with' | 'range'): Node {
    const scope = this.#variables.length
    const pipe = this.#pipe(kind, 'close', kind === 'range')
    if (kind === 'range') this.#loops++
    const { nodes: body, ended } = this.#list()
    if (kind === 'range') this.#loops--
    const otherwise = this.#otherwise(kind, ended)
    this.#variables.length = scope
    return { kind, pipe, body, otherwise }
  }

  #otherwise(kind: 'if' | 'with' | 'range', ended: Token): Node[] {
    if (ended.text === '') throw new TemplateMistake(ended.at, 'unexpected EOF')
    if (ended.text === 'end') {
      this.#close('end')
      return []
    }
    const next = this.#peek()
    if (kind !== 'range' && next.type === 'keyword' && next.text === kind) {
      // `else if` is an if inside the else that shares its end.
      this.#take()
      return [this.#control(kind)]
    }
    this.#close('else')
    const { nodes, ended: last } = this.#list()
    if (last.text === '') throw new TemplateMistake(last.at, 'unexpected EOF')
    if (last.text !== 'end') throw new TemplateMistake(last.at, 'expected end; found {{else}}')
    this.#close('end')
    return nodes
  }

  #define(name: string): void {
    this.#close('define clause')
    const outer = this.#variables
    this.#variables = ['$']
    const { nodes, ended } = this.#list()
    if (ended.text !== 'end')
      throw new TemplateMistake(ended.at, ended.text === '' ? 'unexpected EOF' : 'unexpected {{else}}')
    this.#close('end')
    this.#variables = outer
    this.#defined.set(name, nodes)
  }

  #call(): Node {
    const { at } = this.#peek()
    const name = this.#string('template clause')
    if (this.#peek().type === 'close') {
      this.#take()
      return { kind: 'template', name, at }
    }
    return { kind: 'template', name, pipe: this.#pipe('template clause', 'close'), at }
  }

  #block(first: Token): Node {
    const name = this.#string('block clause')
    const pipe = this.#pipe('block clause', 'close')
    this.#tokens.splice(this.#next, 0, { type: 'close', text: '}}', at: first.at, spaced: false })
    this.#define(name)
    return { kind: 'template', name, pipe, at: first.at }
  }

  #string(context: string): string {
    const token = this.#take()
    if (token.type === 'string') return unquote(token)
    throw new TemplateMistake(token.at, `unexpected ${shown(token)} in ${context}`)
  }

  #close(context: string): void {
    const token = this.#take()
    if (token.type !== 'close') throw new TemplateMistake(token.at, `unexpected ${shown(token)} in ${context}`)
  }

  #pipe(context: string, end: 'close' | 'right paren', mayHaveTwo = false): Pipe {
    const at = this.#peek().at
    const { variables, assigns } = this.#declaration(context, mayHaveTwo)
    const commands: Command[] = []
    for (;;) {
      const token = this.#peek()
      if (token.type === end) {
        this.#take()
        if (commands.length === 0) throw new TemplateMistake(token.at, `missing value for ${context}`)
        this.#checkPipe(commands)
        if (!assigns) this.#variables.push(...variables)
        return { kind: 'pipe', at, variables, assigns, commands }
      }
      commands.push(this.#command(context))
    }
  }

  #declaration(context: string, mayHaveTwo: boolean): { variables: string[]; assigns: boolean } {
    const start = this.#next
    const variables: string[] = []
    while (this.#peek().type === 'variable') {
      variables.push(this.#take().text)
      const token = this.#take()
      if (token.type === 'comma' && mayHaveTwo && variables.length === 1) continue
      if (token.type === 'comma') throw new TemplateMistake(token.at, `too many declarations in ${context}`)
      if (token.type !== 'declare' && token.type !== 'assign') break
      const assigns = token.type === 'assign'
      if (assigns) for (const name of variables) this.#checkVariable(name, token.at)
      return { variables, assigns }
    }
    this.#next = start
    return { variables: [], assigns: false }
  }

  /** Only functions and fields can take the result of the command before them. */
  #checkPipe(commands: Command[]): void {
    for (const [index, { operands, at }] of commands.slice(1).entries()) {
      const kind = operands[0]!.kind
      if (kind === 'literal' || kind === 'nil' || kind === 'dot') {
        throw new TemplateMistake(at, `non executable command in pipeline stage ${index + 2}`)
      }
    }
  }

  #command(context: string): Command {
    const at = this.#peek().at
    const operands: Operand[] = []
    for (;;) {
      const token = this.#peek()
      if (operands.length > 0 && !token.spaced && !'close,pipe,right paren'.split(',').includes(token.type)) {
        throw new TemplateMistake(token.at, `unexpected ${shown(token)} in operand`)
      }
      const operand = this.#operand()
      if (operand === undefined) break
      operands.push(operand)
    }
    const token = this.#peek()
    if (token.type === 'pipe' && operands.length > 0) {
      this.#take()
      if (['close', 'right paren'].includes(this.#peek().type))
        throw new TemplateMistake(token.at, `missing value for ${context}`)
    } else if (!['close', 'right paren', 'pipe'].includes(token.type)) {
      throw new TemplateMistake(
        token.at,
        `unexpected ${shown(token)} in ${operands.length > 0 ? 'operand' : 'command'}`,
      )
    }
    if (operands.length === 0) {
      throw new TemplateMistake(
        at,
        token.type === 'pipe' ? 'unexpected "|" in command' : `missing value for ${context}`,
      )
    }
    return { kind: 'command', at, operands }
  }

  #operand(): Operand | undefined {
    const base = this.#term()
    if (base === undefined) return undefined
    const at = this.#peek().at
    const names: string[] = []
    while (this.#peek().type === 'field' && !this.#peek().spaced) names.push(this.#take().text.slice(1))
    if (names.length === 0) return base
    if (base.kind === 'dot') throw new TemplateMistake(at, 'unexpected . after term "."')
    // Go places such an operand at its second name.
    if (base.kind === 'field') return { ...base, at, names: [...base.names, ...names] }
    if (base.kind === 'variable') return { ...base, at, names }
    if (base.kind === 'literal' || base.kind === 'nil') {
      throw new TemplateMistake(
        at,
        `unexpected . after term ${JSON.stringify(base.kind === 'nil' ? 'nil' : base.text)}`,
      )
    }
    return { kind: 'chain', at, base, names }
  }

  #term(): Operand | undefined {
    const token = this.#peek()
    const { at, text } = token
    switch (token.type) {
      case 'identifier':
        if (!this.#hasFunction(text)) throw new TemplateMistake(at, `function "${text}" not defined`)
        this.#take()
        return { kind: 'function', at, name: text }
      case 'dot':
        this.#take()
        return { kind: 'dot', at }
      case 'nil':
        this.#take()
        return { kind: 'nil', at }
      case 'field':
        this.#take()
        return { kind: 'field', at, names: [text.slice(1)] }
      case 'variable':
        this.#take()
        this.#checkVariable(text, at)
        return { kind: 'variable', at, name: text, names: [] }
      case 'boolean':
        this.#take()
        return { kind: 'literal', at, text, value: text === 'true' }
      case 'number':
        this.#take()
        return { kind: 'literal', at, text, value: numberOf(token) }
      case 'character':
        this.#take()
        return { kind: 'literal', at, text, value: characterOf(token) }
      case 'string':
        this.#take()
        return { kind: 'literal', at, text, value: unquote(token) }
      case 'left paren':
        this.#take()
        return this.#pipe('parenthesized pipeline', 'right paren')
      default:
        return undefined
    }
  }

  #checkVariable(name: string, at: number): void {
    if (!this.#variables.includes(name)) throw new TemplateMistake(at, `undefined variable "${name}"`)
  }
}

function shown(token: Token): string {
  if (token.type === 'end of text') return 'EOF'
  if (token.type === 'keyword' || token.type === 'dot') return `<${token.text}>`
  return JSON.stringify(token.text)
}

function numberOf({ text, at }: Token): number | GoFloat {
  const plain = text.replaceAll('_', '')
  const negative = plain.startsWith('-')
  const digits = plain.replace(/^[+-]/, '')
  const isFloat = !/^0[xXbBoO]/.test(digits) && /[.eE]/.test(digits)
  // Go reads 017 as octal.
  const value = Number(/^0\d+$/.test(digits) ? `0o${digits.slice(1)}` : digits)
  if (Number.isNaN(value)) throw new TemplateMistake(at, `bad number syntax: ${JSON.stringify(text)}`)
  const signed = negative ? -value : value
  return isFloat ? new GoFloat(signed) : signed
}

const ESCAPES = table<string>({
  n: '\n',
  t: '\t',
  r: '\r',
  a: '\x07',
  b: '\b',
  f: '\f',
  v: '\v',
  '\\': '\\',
  '"': '"',
  "'": "'",
})

/** The value of a quoted string, raw string or character constant. Source: the Go specification, "String literals". */
function unquote({ text, at }: Token): string {
  const inner = text.slice(1, -1)
  if (text.startsWith('`')) return inner
  return inner.replace(/\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{3}|[\s\S])/g, (_, code: string) => {
    const simple = ESCAPES[code]
    if (simple !== undefined) return simple
    if (/^[xuU]./.test(code)) return codePoint(Number.parseInt(code.slice(1), 16), at)
    if (/^[0-7]{3}$/.test(code)) return codePoint(Number.parseInt(code, 8), at)
    throw new TemplateMistake(at, 'invalid syntax')
  })
}

function characterOf(token: Token): number {
  const [character, ...rest] = unquote(token)
  if (character === undefined || rest.length > 0) {
    throw new TemplateMistake(token.at, `malformed character constant: ${token.text}`)
  }
  return character.codePointAt(0)!
}

function codePoint(value: number, at: number): string {
  if (value > 0x10ffff) throw new TemplateMistake(at, 'invalid syntax')
  return String.fromCodePoint(value)
}

/** An operand as Go writes it in messages. */
export function operandText(operand: Operand | Command): string {
  switch (operand.kind) {
    case 'literal':
      return operand.text
    case 'nil':
      return 'nil'
    case 'dot':
      return '.'
    case 'field':
      return `.${operand.names.join('.')}`
    case 'variable':
      return [operand.name, ...operand.names].join('.')
    case 'function':
      return operand.name
    case 'chain':
      return `${operand.base.kind === 'pipe' ? `(${pipeText(operand.base)})` : operandText(operand.base)}.${operand.names.join('.')}`
    case 'command':
      return operand.operands.map((one) => (one.kind === 'pipe' ? `(${pipeText(one)})` : operandText(one))).join(' ')
    case 'pipe':
      return pipeText(operand)
  }
}

function pipeText({ variables, assigns, commands }: Pipe): string {
  const declared = variables.length > 0 ? `${variables.join(', ')} ${assigns ? '=' : ':='} ` : ''
  return declared + commands.map(operandText).join(' | ')
}
