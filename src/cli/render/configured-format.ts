import { readTextSync } from '#engine'

type FormatMember = 'psFormat' | 'imagesFormat' | 'networksFormat' | 'volumesFormat' | 'statsFormat'

/**
 * The template that docker's config.json has for a list, which counts without `--format` and `--quiet`. A file that is missing or
 * cannot be read counts as empty: verbs that need it for a login report it.
 */
export function configuredFormat(file: string | undefined, member: FormatMember): string | undefined {
  if (file === undefined) return undefined
  try {
    const document = JSON.parse(readTextSync(file)) as Record<string, unknown> | null
    const format = document?.[member]
    return typeof format === 'string' && format !== '' ? format : undefined
  } catch {
    return undefined
  }
}
