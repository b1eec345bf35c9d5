import { followLinks } from '#base'
import type { RootDirectory } from './beneath.ts'
import { SystemError } from './kernel/syscalls.ts'

const ELOOP = 40

/**
 * The path without links that a path of a root means, also where links lead to something that is missing. Throws ELOOP
 * after forty links. Where others change the root meanwhile, the answer may be old when it comes; whoever uses it goes
 * through the root again.
 */
export function resolveInside(root: RootDirectory, path: string): string {
  const look = (latin1: string) => {
    const here = Buffer.from(`/${latin1}`, 'latin1')
    const isLink = root.statIfThere(here, { follow: false })?.isSymbolicLink()
    return isLink ? { link: root.readlink(here).toString('latin1') } : {}
  }
  const tooMany = () => new SystemError(ELOOP, 'readlink', path)
  const found = followLinks(Buffer.from(path).toString('latin1'), { look, tooMany })
  return Buffer.from(`/${found ?? ''}`, 'latin1').toString()
}
