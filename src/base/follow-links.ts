/** As many symbolic links as the kernel follows in one path, path_resolution(7). */
const LINKS_LIMIT = 40

/** What a walk meets, and what it does beyond forty links. */
export interface LinkWalk {
  /**
   * What stands at a path without links (`a/b`, never the root): `link` is the target of a symbolic link. Undefined ends
   * the walk. `isLast`: nothing of the path follows.
   */
  look(path: string, isLast: boolean): { readonly link?: string | undefined } | undefined
  tooMany(): Error
}

/**
 * The path without links, `.` and `..` that a path of a root means: word by word, links followed inside the root, where `..`
 * and absolute targets end at the root. Relative (`a/b`, the root is ``); undefined where `look` ended the walk.
 */
export function followLinks(path: string, { look, tooMany }: LinkWalk): string | undefined {
  const waiting = wordsOf(path)
  const done: string[] = []
  for (let links = 0; waiting.length > 0; ) {
    const word = waiting.shift()!
    if (word === '..') {
      done.pop()
      continue
    }
    const found = look([...done, word].join('/'), waiting.length === 0)
    if (found === undefined) return undefined
    if (found.link === undefined) {
      done.push(word)
      continue
    }
    if (++links > LINKS_LIMIT) throw tooMany()
    if (found.link.startsWith('/')) done.length = 0
    waiting.unshift(...wordsOf(found.link))
  }
  return done.join('/')
}

function wordsOf(path: string): string[] {
  return path.split('/').filter((word) => word !== '' && word !== '.')
}
