import type { RootDirectory } from './beneath.ts'
import { SystemError } from './kernel/syscalls.ts'

/** As the kernel's own limit. */
const LINKS_LIMIT = 40
const ELOOP = 40

/**
 * The path without links that a path of a root means: word by word, links followed inside the root, also those that lead
 * to something that is not there. Throws ELOOP after forty links. Where others change the root meanwhile, the answer may
 * be old when it comes; whoever uses it goes through the root again.
 */
export function resolveInside(root: RootDirectory, path: string): string {
  const rest = wordsOf(Buffer.from(path).toString('latin1'))
  const done: string[] = []
  for (let links = 0; rest.length > 0; ) {
    const word = rest.shift()!
    if (word === '..') {
      done.pop()
      continue
    }
    done.push(word)
    const here = Buffer.from(`/${done.join('/')}`, 'latin1')
    if (!root.statIfThere(here, { follow: false })?.isSymbolicLink()) continue
    if (++links > LINKS_LIMIT) throw new SystemError(ELOOP, 'readlink', path)
    const target = root.readlink(here).toString('latin1')
    done.pop()
    if (target.startsWith('/')) done.length = 0
    rest.unshift(...wordsOf(target))
  }
  return Buffer.from(`/${done.join('/')}`, 'latin1').toString()
}

function wordsOf(path: string): string[] {
  return path.split('/').filter((word) => word !== '' && word !== '.')
}
