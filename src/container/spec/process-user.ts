import { BaleError, printable } from '#base'
import { openRoot, type RootDirectory } from '#host'

export interface ProcessUser {
  uid: number
  gid: number
  /** Always holds the primary group (R08). */
  additionalGids: number[]
  /** Home directory in /etc/passwd; undefined for a user without an entry. */
  home?: string
}

/** Largest id the kernel and the runtime take (M09). */
const MAXIMUM_ID = 2 ** 31 - 1
const MAXIMUM_FILE = 4 * 1024 * 1024

/**
 * Resolves `uid`, `uid:gid`, `name`, `name:group` with the /etc/passwd and /etc/group of a root file system. A user
 * that cannot be found is an error, never root. Numbers out of range are refused (M09).
 */
export function resolveUser(rootfs: string, user: string, groupAdd: readonly string[] = []): ProcessUser {
  const [userPart = '', groupPart, ...rest] = user.split(':')
  if (rest.length) throw new BaleError('INVALID_ARGUMENT', `invalid user: ${printable(user)}`)
  const files = accountFiles(rootfs)
  const account = findUser(files.passwd, userPart)
  const gid = groupPart === undefined || groupPart === '' ? account.gid : findGroup(files.group, groupPart)
  // Named groups are requested by `--group-add`; the user's memberships count only when no group was given.
  const memberships = groupPart ? [] : memberOf(files.group, account.name)
  const added = groupAdd.map((group) => findGroup(files.group, group))
  const additionalGids = [...new Set([gid, ...memberships, ...added])]
  return { uid: account.uid, gid, additionalGids, ...(account.home && { home: account.home }) }
}

interface Account {
  uid: number
  gid: number
  name?: string
  home?: string
}

function findUser(passwd: string[][], wanted: string): Account {
  const asked = wanted === '' ? '0' : wanted
  const numeric = /^\d+$/.test(asked)
  const row = passwd.find((fields) => (numeric ? fields[2] === String(Number(asked)) : fields[0] === asked))
  if (numeric) {
    const uid = identifier(asked, 'user')
    return { uid, gid: row ? identifier(row[3] ?? '', 'group') : 0, name: row?.[0], home: row?.[5] }
  }
  if (!row)
    throw new BaleError(
      'INVALID_ARGUMENT',
      `unable to find user ${printable(wanted)}: no matching entries in passwd file`,
    )
  return { uid: identifier(row[2] ?? '', 'user'), gid: identifier(row[3] ?? '', 'group'), name: row[0], home: row[5] }
}

function findGroup(group: string[][], wanted: string): number {
  if (/^\d+$/.test(wanted)) return identifier(wanted, 'group')
  const row = group.find((fields) => fields[0] === wanted)
  if (!row)
    throw new BaleError(
      'INVALID_ARGUMENT',
      `unable to find group ${printable(wanted)}: no matching entries in group file`,
    )
  return identifier(row[2] ?? '', 'group')
}

function memberOf(group: string[][], name: string | undefined): number[] {
  if (name === undefined) return []
  return group
    .filter((fields) => fields[3]?.split(',').includes(name) && /^\d+$/.test(fields[2] ?? ''))
    .map((fields) => identifier(fields[2]!, 'group'))
}

function identifier(text: string, kind: 'user' | 'group'): number {
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN
  if (value <= MAXIMUM_ID) return value
  throw new BaleError('INVALID_ARGUMENT', `${kind} id ${printable(text)} is outside 0 … ${MAXIMUM_ID}`)
}

function accountFiles(rootfs: string): { passwd: string[][]; group: string[][] } {
  using root = openRoot(rootfs)
  return { passwd: records(readAccounts(root, '/etc/passwd')), group: records(readAccounts(root, '/etc/group')) }
}

function records(text: string): string[][] {
  return text
    .split('\n')
    .filter((line) => line && !line.startsWith('#'))
    .map((line) => line.trim().split(':'))
}

/** A regular file of the root file system, links resolved inside it; empty when it is missing or something else. */
function readAccounts(root: RootDirectory, path: string): string {
  return root.readBytes(path, { limit: MAXIMUM_FILE })?.toString('utf8') ?? ''
}
