import { createInterface } from 'node:readline/promises'
import { BaleError } from '#base'
import type { Terminal } from './terminal.ts'

/** What was typed before its question was asked: one chunk from a terminal may answer more than one. */
const typedAhead = new WeakMap<object, string>()

function takeTypedAhead(io: Terminal): string {
  const text = typedAhead.get(io.stdin) ?? ''
  typedAhead.delete(io.stdin)
  return text
}

/** Asks on a terminal; the question goes to stderr, since stdout is for results. Ctrl-C and Ctrl-D are ABORTED. */
export async function askLine(io: Terminal, question: string, signal: AbortSignal): Promise<string> {
  const ahead = takeTypedAhead(io)
  const whole = /^([^\r\n]*)(?:\r\n?|\n)([\s\S]*)$/.exec(ahead)
  if (whole) {
    io.stderr.write(`${question}${whole[1]}\n`)
    typedAhead.set(io.stdin, whole[2]!)
    return whole[1]!
  }
  const lines = createInterface({ input: io.stdin, output: io.stderr })
  const more: string[] = []
  // Node leaves the question open for ever when the input ends.
  let onClose: () => void = () => undefined
  const closed = new Promise<never>((_, reject) => {
    onClose = () => {
      io.stderr.write('\n')
      reject(new BaleError('ABORTED', 'stopped'))
    }
    lines.on('close', onClose)
  })
  try {
    const asked = lines.question(question, { signal })
    lines.on('line', (line) => more.push(`${line}\n`))
    if (ahead !== '') lines.write(ahead)
    const answer = await Promise.race([asked, closed])
    typedAhead.set(io.stdin, more.join('') + lines.line)
    return answer
  } catch (error) {
    signal.throwIfAborted()
    // Ctrl-C is a key here: the terminal is in raw mode while a line is edited.
    if ((error as Error).name === 'AbortError') throw new BaleError('ABORTED', 'stopped', { cause: error })
    throw error
  } finally {
    lines.off('close', onClose)
    lines.close()
  }
}

const ENTER = new Set(['\r', '\n'])
const BACKSPACE = new Set(['\b', '\x7f'])
/** What ends an answer, one way or the other. */
const ENDS_ANSWER = /[\r\n\x03\x04]/
const CONTROL_C = '\x03'
const CONTROL_D = '\x04'
const CONTROL_U = '\x15'

/** Prompts without echo. The terminal is always restored afterwards. INVALID_ARGUMENT where there is none; ABORTED when it goes. */
export async function askSecret(io: Terminal, question: string, signal: AbortSignal): Promise<string> {
  const { stdin, stderr } = io
  signal.throwIfAborted()
  if (!stdin.isTTY) {
    throw new BaleError('INVALID_ARGUMENT', 'standard input is not a terminal, so the password cannot be asked for', {
      hint: 'use --password-stdin to read it from there',
    })
  }
  return new Promise((resolve, reject) => {
    let typed = ''
    const end = (settle: () => void) => {
      stdin.off('data', onData)
      stdin.off('end', stopped)
      signal.removeEventListener('abort', onAbort)
      stdin.setRawMode?.(false)
      stdin.pause()
      stderr.write('\n')
      settle()
    }
    const stopped = () => end(() => reject(new BaleError('ABORTED', 'stopped')))
    const onAbort = () => end(() => reject(signal.reason))
    const onData = (chunk: Buffer | string) => {
      const characters = [...chunk.toString()]
      for (const [index, character] of characters.entries()) {
        if (ENTER.has(character) || (character === CONTROL_D && typed !== '')) {
          typedAhead.set(stdin, characters.slice(index + 1).join(''))
          return end(() => resolve(typed))
        }
        if (character === CONTROL_C || character === CONTROL_D) return stopped()
        if (BACKSPACE.has(character)) typed = [...typed].slice(0, -1).join('')
        else if (character === CONTROL_U) typed = ''
        else if (character >= ' ') typed += character
      }
    }
    // Before the question is shown: an answer typed at once must not be echoed.
    stdin.setRawMode?.(true)
    stderr.write(question)
    signal.addEventListener('abort', onAbort, { once: true })
    const ahead = takeTypedAhead(io)
    if (ahead !== '') onData(ahead)
    if (ENDS_ANSWER.test(ahead)) return
    stdin.on('data', onData)
    stdin.on('end', stopped)
    stdin.resume()
  })
}

const LONGEST_SECRET = 64 * 1024

/** A password from a pipe: all of it, without the line's end. */
export async function readSecret(io: Terminal): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of io.stdin) {
    chunks.push(Buffer.from(chunk as Buffer))
    size += chunks.at(-1)!.length
    if (size > LONGEST_SECRET) throw new BaleError('LIMIT_EXCEEDED', 'the password on standard input is too long')
  }
  const secret = Buffer.concat(chunks)
    .toString('utf8')
    .replace(/\r?\n$/, '')
  if (secret !== '') return secret
  throw new BaleError('INVALID_ARGUMENT', 'there is no password on standard input')
}
