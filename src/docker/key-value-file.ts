type Environment = Readonly<Record<string, string | undefined>>

/** `NAME=VALUE` as it is; `NAME` alone with the caller's value, or as it is: it removes the variable. Throws an Error. */
export function environmentEntry(word: string, environment: Environment): string {
  if (word === '' || word.startsWith('=')) throw new Error(`invalid environment variable: ${word}`)
  if (word.includes('=')) return word
  const value = environment[word]
  return value === undefined ? word : `${word}=${value}`
}

/** The text of an environment or label file, which must be UTF-8: anything else is another encoding. Throws an Error. */
export function keyValueText(bytes: Uint8Array): string {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  try {
    return decoder.decode(bytes)
  } catch (cause) {
    throw new Error(firstWrongLine(bytes, decoder), { cause })
  }
}

/** No character goes over the end of a line, so that one line at least is wrong. */
function firstWrongLine(bytes: Uint8Array, decoder: InstanceType<typeof TextDecoder>): string {
  let start = 0
  for (let line = 1; ; line++) {
    const end = bytes.indexOf(0x0a, start)
    const whole = bytes.subarray(start, end < 0 ? undefined : end)
    const shown = whole.at(-1) === 0x0d ? whole.subarray(0, -1) : whole
    if (end < 0 || !decodes(shown, decoder)) return `invalid utf8 bytes at line ${line}: [${shown.join(' ')}]`
    start = end + 1
  }
}

function decodes(bytes: Uint8Array, decoder: InstanceType<typeof TextDecoder>): boolean {
  try {
    decoder.decode(bytes)
    return true
  } catch {
    return false
  }
}

/** Lines of an environment file. `NAME` alone takes the caller's value, and is left out when there is none. Throws an Error. */
export function parseEnvironmentFile(text: string, environment: Environment): string[] {
  return keyValueLines(text, (name) => (environment[name] === undefined ? [] : [`${name}=${environment[name]}`]))
}

/** Lines of a label file; a name alone is no label. Throws an Error. */
export function parseLabelFile(text: string): string[] {
  return keyValueLines(text, () => [])
}

/** `NAME=VALUE` lines; blanks before the name are dropped, those after the value are kept; `#` begins a comment. */
function keyValueLines(text: string, ofName: (name: string) => string[]): string[] {
  return text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .map((line) => line.trimStart())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .flatMap((line) => {
      const name = line.split('=', 1)[0]!
      if (name === '') throw new Error(`no variable name on line '${line}'`)
      if (/[ \t]/.test(name)) throw new Error(`variable '${name}' contains whitespaces`)
      return line.includes('=') ? [line] : ofName(line)
    })
}
