import { BaleError, printable } from '#base'
import type { SourceTree } from '../context/index.ts'

export interface Owner {
  uid: number
  gid: number
}

/** Larger than any real one; a hostile image must not fill the memory (M09, R10). */
const ACCOUNT_FILE_LIMIT = 4 << 20
const LARGEST_ID = 0xfffffffe

/**
 * `user[:group]` of --chown or USER, names looked up in the stage's own passwd and group. A number without a group is
 * also the group; a name without a group has its group from passwd. An unknown name is an error (BuildKit silently takes
 * root, which is never intended).
 */
export function resolveOwner(text: string, tree: SourceTree | undefined): Owner {
  const colon = text.indexOf(':')
  const user = colon < 0 ? text : text.slice(0, colon)
  const group = colon < 0 ? undefined : text.slice(colon + 1)
  const account = accountOf(user, tree)
  return { uid: account.uid, gid: group ? groupOf(group, tree) : account.gid }
}

function accountOf(user: string, tree: SourceTree | undefined): Owner {
  const number = numeric(user)
  if (number !== undefined) return { uid: number, gid: number }
  if (user === '') return { uid: 0, gid: 0 }
  const fields = accountFields(tree, 'etc/passwd').find((one) => one[0] === user)
  const uid = numeric(fields?.[2] ?? '')
  const gid = numeric(fields?.[3] ?? '')
  if (uid === undefined || gid === undefined) throw unknown('user', user, '/etc/passwd')
  return { uid, gid }
}

function groupOf(group: string, tree: SourceTree | undefined): number {
  const gid = numeric(group) ?? numeric(accountFields(tree, 'etc/group').find((one) => one[0] === group)?.[2] ?? '')
  if (gid === undefined) throw unknown('group', group, '/etc/group')
  return gid
}

function numeric(text: string): number | undefined {
  if (!/^\d{1,10}$/.test(text)) return undefined
  const number = Number(text)
  if (number > LARGEST_ID) throw new BaleError('BUILD_FAILED', `the ID ${text} is too large`)
  return number
}

function accountFields(tree: SourceTree | undefined, path: string): string[][] {
  const resolved = tree?.follow(path)
  const entry = resolved === undefined ? undefined : tree!.entry(resolved)
  if (entry?.type !== 'file') return []
  if (entry.size > ACCOUNT_FILE_LIMIT)
    throw new BaleError('LIMIT_EXCEEDED', `/${path} of the image is larger than 4 MiB`)
  const text = Buffer.concat([...tree!.read(resolved!, entry)]).toString('utf8')
  return text.split('\n').map((line) => line.split(':'))
}

function unknown(what: string, name: string, file: string): BaleError {
  return new BaleError('BUILD_FAILED', `unable to find ${what} ${printable(name)}: no matching entry in ${file}`, {
    hint: `add the ${what} in an earlier RUN, or give a number`,
  })
}
