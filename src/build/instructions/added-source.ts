import { isUrl, printable, withoutSecrets } from '#base'
import { Mistake } from '../dockerfile/index.ts'

/** A source as history, progress and messages show it: without the login or signature of a URL. */
export function shownSource(source: string): string {
  return isUrl(source) ? withoutSecrets(source) : source
}

/** Repositories are not fetched in this version; a name that only looks like a path stays one. Throws a Mistake. */
export function refuseGit(source: string): void {
  const isGit =
    /^(?:git|ssh):\/\//.test(source) || /^git@[^/]+:/.test(source) || /^https?:\/\/[^?#]+\.git(?:[?#]|$)/.test(source)
  if (!isGit) return
  throw new Mistake(
    `adding from a git repository is not supported yet: ${printable(withoutSecrets(source))}; clone it and COPY the directory`,
  )
}
