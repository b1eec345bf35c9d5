import { table } from '#base'

export type Node =
  | { kind: 'character'; test(code: number): boolean }
  /** Between two characters; -1 means the beginning and the end of the text. */
  | { kind: 'place'; holds(before: number, after: number): boolean }
  | { kind: 'sequence'; parts: Node[] }
  | { kind: 'choice'; parts: Node[] }
  | { kind: 'repeat'; of: Node; least: number; most: number | undefined }

type Test = (code: number) => boolean

interface Modes {
  /** Upper and lower case are the same. */
  i: boolean
  /** `^` and `$` are also at line ends. */
  m: boolean
  /** `.` is also a line end. */
  s: boolean
}

class PatternError extends Error {}

const MOST_REPEATS = 1000
const DEEPEST = 250

/** Reads the syntax of Go's regexp/syntax (Perl flags). Undefined when it is no pattern. */
export function parsePattern(text: string): Node | undefined {
  try {
    return new PatternParser(text).parse()
  } catch (error) {
    if (error instanceof PatternError) return undefined
    throw error
  }
}

const isWord: Test = (code) => inRanges('09AZaz__', code)
const NEWLINE = 10
const PERL = table<Test>({
  d: (code) => inRanges('09', code),
  s: (code) => inRanges('\t\n\f\r  ', code),
  w: isWord,
})
const POSIX = table<string>({
  alnum: '09AZaz',
  alpha: 'AZaz',
  ascii: '\0\x7f',
  blank: '\t\t  ',
  cntrl: '\0\x1f\x7f\x7f',
  digit: '09',
  graph: '!~',
  lower: 'az',
  print: ' ~',
  punct: '!/:@[`{~',
  space: '\t\r  ',
  upper: 'AZ',
  word: '09AZaz__',
  xdigit: '09AFaf',
})
const CONTROL = table<number>({ a: 7, f: 12, n: NEWLINE, r: 13, t: 9, v: 11 })

function inRanges(pairs: string, code: number): boolean {
  for (let at = 0; at < pairs.length; at += 2)
    if (code >= pairs.charCodeAt(at) && code <= pairs.charCodeAt(at + 1)) return true
  return false
}

function caseless(test: Test): Test {
  return (code) => {
    const character = String.fromCodePoint(code)
    return [character, character.toLowerCase(), character.toUpperCase()].some((one) => test(one.codePointAt(0)!))
  }
}

const not =
  (test: Test): Test =>
  (code) =>
    !test(code)

class PatternParser {
  readonly #characters: string[]
  #at = 0
  #depth = 0

  constructor(text: string) {
    this.#characters = [...text]
  }

  parse(): Node {
    const tree = this.#choice({ i: false, m: false, s: false })
    if (this.#at < this.#characters.length) throw new PatternError('unexpected )')
    return tree
  }

  #peek(length = 1): string {
    return this.#characters.slice(this.#at, this.#at + length).join('')
  }

  #take(text: string): boolean {
    if (this.#peek(text.length) !== text) return false
    this.#at += text.length
    return true
  }

  #next(): string {
    const character = this.#characters[this.#at++]
    if (character === undefined) throw new PatternError('it ends too early')
    return character
  }

  /** Modes that are set without a group apply to the end of the enclosing group, including its later branches. */
  #choice(modes: Modes): Node {
    if (++this.#depth > DEEPEST) throw new PatternError('too deep')
    const branches: Node[] = []
    do branches.push(this.#sequence(modes))
    while (this.#take('|'))
    this.#depth--
    return branches.length === 1 ? branches[0]! : { kind: 'choice', parts: branches }
  }

  #sequence(modes: Modes): Node {
    const parts: Node[] = []
    while (this.#at < this.#characters.length && this.#peek() !== '|' && this.#peek() !== ')') {
      const quoted = this.#take('\\Q') ? this.#quoted(modes) : undefined
      if (quoted?.length === 0) continue
      const node = quoted ? quoted.pop() : this.#atom(modes)
      if (quoted) parts.push(...quoted)
      if (node) parts.push(this.#repeated(node))
    }
    return { kind: 'sequence', parts }
  }

  #quoted(modes: Modes): Node[] {
    const nodes: Node[] = []
    while (this.#at < this.#characters.length && !this.#take('\\E')) nodes.push(this.#literal(this.#next(), modes))
    return nodes
  }

  #literal(character: string, { i }: Modes): Node {
    const wanted = character.codePointAt(0)!
    const exactly: Test = (code) => code === wanted
    if (!i) return { kind: 'character', test: exactly }
    const folded = new Set([character.toLowerCase(), character.toUpperCase()].map((one) => one.codePointAt(0)!))
    return { kind: 'character', test: (code) => exactly(code) || caseless((one) => folded.has(one))(code) }
  }

  /** Undefined for `(?i)`, which is no part of the text. */
  #atom(modes: Modes): Node | undefined {
    const character = this.#next()
    switch (character) {
      case '(':
        return this.#group(modes)
      case '[':
        return { kind: 'character', test: this.#set(modes) }
      case '.':
        return { kind: 'character', test: modes.s ? () => true : (code) => code !== NEWLINE }
      case '^':
        return modes.m ? { kind: 'place', holds: (before) => before < 0 || before === NEWLINE } : BEGINNING
      case '$':
        return modes.m ? { kind: 'place', holds: (_, after) => after < 0 || after === NEWLINE } : END
      case '*':
      case '+':
      case '?':
        throw new PatternError('nothing to repeat')
      case '\\':
        return this.#escape(modes)
      default:
        return this.#literal(character, modes)
    }
  }

  #escape(modes: Modes): Node {
    if (this.#take('A')) return BEGINNING
    if (this.#take('z')) return END
    if (this.#take('b')) return { kind: 'place', holds: (before, after) => isWord(before) !== isWord(after) }
    if (this.#take('B')) return { kind: 'place', holds: (before, after) => isWord(before) === isWord(after) }
    const group = this.#characterGroup()
    if (group) return { kind: 'character', test: modes.i ? caseless(group) : group }
    return this.#literal(String.fromCodePoint(this.#escapedCode()), modes)
  }

  /** What follows `\`: `d`, `W`, `pL`, `p{Greek}`; undefined when it is one character. */
  #characterGroup(): Test | undefined {
    const letter = this.#peek()
    const perl = PERL[letter.toLowerCase()]
    if (perl && letter !== '') {
      this.#at++
      return letter === letter.toLowerCase() ? perl : not(perl)
    }
    if (letter !== 'p' && letter !== 'P') return undefined
    this.#at++
    const [, negated, name] = /^(\^?)(.*)$/.exec(this.#take('{') ? this.#until('}') : this.#next())!
    const test = unicodeGroup(name!)
    return (letter === 'P') !== (negated === '^') ? not(test) : test
  }

  #until(end: string): string {
    let text = ''
    while (!this.#take(end)) text += this.#next()
    return text
  }

  #escapedCode(): number {
    const character = this.#next()
    if (character === 'x') {
      const digits = this.#take('{') ? this.#until('}') : this.#next() + this.#next()
      const code = /^[0-9a-fA-F]{1,8}$/.test(digits) ? Number.parseInt(digits, 16) : -1
      if (code < 0 || code > 0x10ffff) throw new PatternError('no such character')
      return code
    }
    if (/[0-7]/.test(character)) {
      let digits = character
      while (digits.length < 3 && /^[0-7]$/.test(this.#peek())) digits += this.#next()
      // One digit alone would be a reference back.
      if (character !== '0' && digits.length === 1) throw new PatternError('no references back')
      return Number.parseInt(digits, 8)
    }
    if (CONTROL[character] !== undefined) return CONTROL[character]
    const code = character.codePointAt(0)!
    if (code >= 0x80 || /[A-Za-z0-9]/.test(character)) throw new PatternError('unknown escape')
    return code
  }

  #group(modes: Modes): Node | undefined {
    let inner = { ...modes }
    if (this.#take('?')) {
      if (this.#take('P<') || this.#take('<')) {
        if (!/^\w+$/.test(this.#until('>'))) throw new PatternError('bad name')
      } else {
        inner = this.#flags(modes)
        if (this.#take(')')) {
          Object.assign(modes, inner)
          return undefined
        }
        if (!this.#take(':')) throw new PatternError('unknown group')
      }
    }
    const node = this.#choice(inner)
    if (!this.#take(')')) throw new PatternError('a ) is missing')
    return node
  }

  #flags(modes: Modes): Modes {
    const result = { ...modes }
    let on = true
    let count = 0
    for (; !/^[:)]$/.test(this.#peek()); count++) {
      const flag = this.#next()
      if (flag === 'i' || flag === 'm' || flag === 's') result[flag] = on
      else if (flag === '-' && on) {
        on = false
        count = -1
      } else if (flag !== 'U') throw new PatternError('unknown flag')
    }
    if (count === 0 && !on) throw new PatternError('no flag behind -')
    return result
  }

  #repeated(of: Node): Node {
    let least: number
    let most: number | undefined
    if (this.#take('*')) [least, most] = [0, undefined]
    else if (this.#take('+')) [least, most] = [1, undefined]
    else if (this.#take('?')) [least, most] = [0, 1]
    else {
      const counts = /^\{(\d+)(?:(,)(\d*))?\}/.exec(this.#peek(20))
      if (!counts) return of
      this.#at += counts[0].length
      least = Number(counts[1])
      most = counts[2] === undefined ? least : counts[3] === '' ? undefined : Number(counts[3])
      if (least > MOST_REPEATS || (most ?? least) > MOST_REPEATS || (most ?? least) < least)
        throw new PatternError('bad count')
    }
    this.#take('?')
    if (/^([*+?]|\{\d+(,\d*)?\})/.test(this.#peek(20))) throw new PatternError('repeated twice')
    return { kind: 'repeat', of, least, most }
  }

  #set({ i }: Modes): Test {
    const negated = this.#take('^')
    const tests: Test[] = []
    for (let first = true; first || this.#peek() !== ']'; first = false) tests.push(this.#setPart())
    this.#at++
    const any: Test = (code) => tests.some((test) => test(code))
    const test = i ? caseless(any) : any
    return negated ? not(test) : test
  }

  #setPart(): Test {
    const name = this.#peek(2) === '[:' ? this.#className() : undefined
    if (name !== undefined) {
      const ranges = POSIX[name.replace('^', '')]
      if (ranges === undefined) throw new PatternError('unknown class')
      return (code) => inRanges(ranges, code) !== name.startsWith('^')
    }
    const low = this.#setCharacter()
    if (typeof low === 'function') return low
    if (this.#peek() !== '-' || this.#peek(2) === '-]') return (code) => code === low
    this.#at++
    const high = this.#setCharacter()
    if (typeof high === 'function' || high < low) throw new PatternError('bad range')
    return (code) => code >= low && code <= high
  }

  /** What is between `[:` and the next `:]`. Without such an end they are characters of a set, as in Go. */
  #className(): string | undefined {
    const start = this.#at + 2
    const end = this.#characters.findIndex((_, at, all) => at >= start && all[at] === ':' && all[at + 1] === ']')
    if (end < 0) return undefined
    this.#at = end + 2
    return this.#characters.slice(start, end).join('')
  }

  #setCharacter(): number | Test {
    const character = this.#next()
    if (character !== '\\') return character.codePointAt(0)!
    return this.#characterGroup() ?? this.#escapedCode()
  }
}

const BEGINNING: Node = { kind: 'place', holds: (before) => before < 0 }
const END: Node = { kind: 'place', holds: (_, after) => after < 0 }

/** Categories and scripts, which Go calls by the names of Unicode. */
function unicodeGroup(name: string): Test {
  if (name === 'Any') return () => true
  for (const property of [name, `Script=${name}`]) {
    if (!/^(Script=\w+|[A-Z][a-z]?)$/.test(property)) continue
    try {
      const group = new RegExp(`^\\p{${property}}$`, 'u')
      return (code) => group.test(String.fromCodePoint(code))
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error
    }
  }
  throw new PatternError('unknown group of characters')
}
