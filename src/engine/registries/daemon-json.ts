import { printable, withoutSecrets } from '#base'
import type { ForeignFile } from './foreign-file.ts'
import { type FileRules, type MirrorRule, noRules } from './rules.ts'

/** The members of docker's daemon.json about registries. Mirrors are for Docker Hub only, as docker uses them. */
export function readDaemonJson(file: ForeignFile): FileRules {
  const document = parsed(file)
  if (document === undefined) return noRules
  const list = (key: string) => {
    const value = document[key]
    if (value === undefined) return []
    if (Array.isArray(value) && value.every((one) => typeof one === 'string')) return value as string[]
    file.warn(`${key} is not a list of strings, and is ignored`, `"${key}"`)
    return []
  }
  const mirrors = list('registry-mirrors').flatMap((place): MirrorRule[] => {
    if (isMirror(place)) return [{ place: place.replace(/\/+$/, '') }]
    const shown = printable(withoutSecrets(place))
    file.warn(`${shown} is not the http or https address of a mirror without login and query, and is ignored`, place)
    return []
  })
  return {
    ...noRules,
    rules: mirrors.length > 0 ? [{ prefix: 'docker.io', mirrors, file: file.path }] : [],
    insecure: list('insecure-registries'),
  }
}

function isMirror(place: string): boolean {
  if (!/^https?:\/\//i.test(place) || !URL.canParse(place)) return false
  const { username, password, search, hash } = new URL(place)
  return `${username}${password}${search}${hash}` === ''
}

function parsed(file: ForeignFile): Record<string, unknown> | undefined {
  if (file.text.trim() === '') return undefined
  try {
    const value: unknown = JSON.parse(file.text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
    file.warn('not a JSON object; the file is ignored', 1)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    const line = /\bline (\d+)/.exec(error.message)?.[1]
    file.warn(
      'not JSON; the file is ignored',
      line === undefined ? file.text.trimEnd().split('\n').length : Number(line),
    )
  }
  return undefined
}
