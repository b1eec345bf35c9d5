import assert from 'node:assert/strict'
import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { spawn } from '@lydell/node-pty'
import { readTextSync } from '#host/file'
import type { TestBale } from './bale.ts'

export interface TerminalOptions {
  columns?: number
  rows?: number
  env?: Record<string, string>
  /** A shell script in which `bale` is the program, instead of its arguments alone. */
  script?: string
  /** Milliseconds until a wait gives up; two minutes by default, for what never comes. */
  patience?: number
}

/** How a command on a terminal ended. */
export interface TerminalEnd {
  code: number
  /** The terminal's modes are what they were before. */
  restored: boolean
}

/** A command on a pseudo-terminal: what a person at a keyboard sees and does. */
export interface TestTerminal extends AsyncDisposable {
  /** Everything written to the terminal until now, control sequences included. */
  readonly written: string
  /** Types. */
  type(keys: string): void
  resize(columns: number, rows: number): void
  /** Waits for text behind what an earlier `until` has found; gives what stands from there to its end. */
  until(text: string | RegExp): Promise<string>
  /** Stops reading: what is written then stays in the terminal, whose writers wait. */
  hold(held: boolean): void
  /** Sends a signal to bale alone; the terminal's own keys reach the whole foreground group. */
  kill(signal: NodeJS.Signals): void
  /** The lines on its screen when everything is drawn, without empty ones at the end. */
  screen(): string[]
  ended(): Promise<TerminalEnd>
}

const program = resolve(import.meta.dirname, '../../bin/bale')

/** What runs on the terminal: bale, and around it a shell that looks at the terminal's modes before and after. */
const AROUND = `trap : INT TERM HUP QUIT
before=$(stty -g)
eval "$BALE_TEST_SCRIPT"
code=$?
if [ "$(stty -g)" = "$before" ]; then modes=restored; else modes=changed; stty sane; fi
printf '\\n<ended %s %s>\\n' "$code" "$modes"`

/** Starts `bale ARGS` (or a script) on a terminal of 80 columns and 24 rows. */
export function onTerminal(bale: TestBale, args: readonly string[], options: TerminalOptions = {}): TestTerminal {
  const { columns = 80, rows = 24, patience = 120_000 } = options
  const quoted = ['bale', ...args].map((word) => (word === 'bale' ? word : `'${word.replaceAll("'", "'\\''")}'`))
  const shell = spawn('/bin/sh', ['-c', `bale() { '${program}' "$@"; }\n${AROUND}`], {
    cols: columns,
    rows,
    cwd: bale.directory,
    env: { ...bale.environment, ...options.env, TERM: 'xterm', BALE_TEST_SCRIPT: options.script ?? quoted.join(' ') },
  })
  let written = ''
  let found = 0
  let gone = false
  let wake: () => void = () => undefined
  const size = { columns, rows }
  shell.onData((text) => {
    written += text
    wake()
  })
  const exited = new Promise<void>((done) => {
    shell.onExit(() => {
      gone = true
      wake()
      done()
    })
  })
  const changed = () =>
    new Promise<void>((done) => {
      wake = done
    })

  async function until(text: string | RegExp): Promise<string> {
    const deadline = Date.now() + patience
    for (;;) {
      const rest = written.slice(found)
      const match = typeof text === 'string' ? rest.indexOf(text) : rest.search(text)
      if (match >= 0) {
        const length = typeof text === 'string' ? text.length : text.exec(rest)![0].length
        found += match + length
        return rest.slice(0, match + length)
      }
      if (gone || Date.now() > deadline)
        assert.fail(`the terminal does not show ${text}${gone ? ', and its command has ended' : ''}: ${shown(rest)}`)
      await Promise.race([changed(), sleep(200)])
    }
  }
  return {
    get written() {
      return written
    },
    type: (keys) => shell.write(keys),
    resize(newColumns, newRows) {
      Object.assign(size, { columns: newColumns, rows: newRows })
      shell.resize(newColumns, newRows)
    },
    until,
    hold: (held) => (held ? shell.pause() : shell.resume()),
    kill(signal) {
      process.kill(childOf(shell.pid), signal)
    },
    screen: () => drawn(written.replace(/\r\n<ended .*>\r\n$/, ''), size),
    async ended() {
      const [, code, modes] = /<ended (\d+) (\w+)>/.exec(await until(/<ended \d+ \w+>/))!
      await exited
      return { code: Number(code), restored: modes === 'restored' }
    },
    async [Symbol.asyncDispose]() {
      if (gone) return
      shell.resume()
      const child = childOf(shell.pid)
      if (child) process.kill(child, 'SIGKILL')
      process.kill(shell.pid, 'SIGKILL')
      await exited
    },
  }
}

/** bale's process below the shell; 0 when there is none. */
function childOf(pid: number): number {
  return Number.parseInt(readTextSync(`/proc/${pid}/task/${pid}/children`), 10) || 0
}

function shown(text: string): string {
  return JSON.stringify(text.slice(-2000))
}

/**
 * What stands on the screen after these bytes, with the sequences that bale uses: lines, carriage return, cursor up,
 * erase line, erase below; colours are passed over. Anything else fails the test that meets it.
 */
function drawn(bytes: string, { columns, rows }: { columns: number; rows: number }): string[] {
  const lines: string[] = ['']
  let row = 0
  let column = 0
  const put = (character: string) => {
    if (column === columns) {
      column = 0
      row++
    }
    while (lines.length <= row) lines.push('')
    const line = lines[row]!.padEnd(column)
    lines[row] = line.slice(0, column) + character + line.slice(column + 1)
    column++
  }
  for (const [part, up, colour] of bytes.matchAll(/\x1b\[(\d*)A|\x1b\[([\d;]*)m|\x1b\[2K|\x1b\[J|[^\x1b]|\x1b/gs)) {
    if (part === '\n') row++
    else if (part === '\r') column = 0
    else if (part === '\x1b[2K') lines[row] = ''
    else if (part === '\x1b[J') {
      lines.length = row + 1
      lines[row] = (lines[row] ?? '').slice(0, column)
    } else if (up !== undefined) {
      // The cursor stops at the screen's first row; what has been scrolled away cannot be reached.
      const top = Math.max(0, lines.length - rows)
      row = Math.max(top, row - Number(up || 1))
    } else if (colour !== undefined) continue
    else if (part < ' ') assert.fail(`a control sequence that is not known: ${shown(bytes.slice(-200))}`)
    else put(part)
    while (lines.length <= row) lines.push('')
  }
  while (lines.at(-1)?.trim() === '') lines.pop()
  return lines.map((line) => line.trimEnd())
}
