import { table } from '#base'
import { Mistake } from '../dockerfile/index.ts'

/**
 * The `--chmod` of COPY and ADD: octal (`0755`) or symbolic as of chmod(1) (`u+x,g=rX`) without a umask. Returns a function
 * from the old mode. Throws a Mistake.
 */
export function parseChmod(text: string): FileModeChange {
  if (/^\d/.test(text)) {
    if (!/^0*[0-7]{1,4}$/.test(text)) {
      throw new Mistake(`invalid chmod parameter: '${text}'. it should be octal string and between 0 and 07777`)
    }
    const mode = Number.parseInt(text, 8)
    return { octal: mode, apply: () => mode }
  }
  const clauses = text.split(',').map(parseClause)
  return {
    octal: undefined,
    apply: (mode, isDirectory) => clauses.reduce((current, clause) => clause(current, isDirectory), mode),
  }
}

export interface FileModeChange {
  /** Set for the octal form: directories that a COPY makes get it too. */
  octal: number | undefined
  apply(mode: number, isDirectory: boolean): number
}

type Clause = (mode: number, isDirectory: boolean) => number

const WHO = table<number>({ u: 0o4700, g: 0o2070, o: 0o1007, a: 0o7777 })

function parseClause(text: string): Clause {
  const match = /^([ugoa]*)((?:[-+=](?:[ugo]|[rwxXst]*))+)$/.exec(text)
  if (!match) throw new Mistake(`invalid chmod parameter: '${text}'`)
  const who = [...(match[1] || 'a')].reduce((bits, letter) => bits | WHO[letter]!, 0)
  const actions = [...match[2]!.matchAll(/([-+=])([ugo]|[rwxXst]*)/g)].map(([, operator, permissions]) => {
    return { operator: operator!, permissions: permissions! }
  })
  return (mode, isDirectory) =>
    actions.reduce((current, { operator, permissions }) => {
      const bits = bitsOf(permissions, current, isDirectory) & who
      if (operator === '+') return current | bits
      if (operator === '-') return current & ~bits
      return (current & ~(who & 0o7777)) | bits
    }, mode)
}

function bitsOf(permissions: string, mode: number, isDirectory: boolean): number {
  const copied = { u: mode >> 6, g: mode >> 3, o: mode }[permissions]
  if (copied !== undefined) return (copied & 7) * 0o111
  const one: Record<string, number> = {
    r: 0o444,
    w: 0o222,
    x: 0o111,
    X: isDirectory || (mode & 0o111) !== 0 ? 0o111 : 0,
    s: 0o6000,
    t: 0o1000,
  }
  return [...permissions].reduce((bits, letter) => bits | one[letter]!, 0)
}
