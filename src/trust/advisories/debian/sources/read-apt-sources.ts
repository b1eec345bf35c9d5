import { join } from 'node:path'
import { namesIn, readTextIfThere } from '#host/file'
import { type AptSource, type AptSourceFile, parseAptSources } from './apt-sources.ts'

/** Where apt is configured. */
export const APT_DIRECTORY = '/etc/apt'

/** A list of sources, or of mirrors, in bytes. */
const LIMIT = 1 << 20

/**
 * The sources that this machine's apt is configured with; none where there is no apt. A list of mirrors
 * (`mirror+file:/etc/apt/mirrors/debian.list`) becomes the mirrors in it. Source: sources.list(5),
 * apt-transport-mirror(1).
 */
export async function readAptSources(directory = APT_DIRECTORY): Promise<AptSource[]> {
  const names = (await namesIn(join(directory, 'sources.list.d'))).filter(isRead)
  const paths = [join(directory, 'sources.list'), ...names.map((name) => join(directory, 'sources.list.d', name))]
  const files = await Promise.all(paths.map(readSourceFile))
  return (await Promise.all(parseAptSources(files.flat()).map(withMirrors))).flat()
}

/** apt passes over all other files of the directory: copies of editors, disabled ones. */
function isRead(name: string): boolean {
  return /^[A-Za-z0-9_.-]+\.(?:list|sources)$/.test(name) && !name.startsWith('.')
}

async function readSourceFile(path: string): Promise<AptSourceFile[]> {
  const text = await readTextIfThere(path, { limit: LIMIT })
  return text === undefined ? [] : [{ name: path, text }]
}

const MIRROR_LIST = 'mirror+file:'

async function withMirrors(source: AptSource): Promise<AptSource[]> {
  if (!source.uri.startsWith(MIRROR_LIST)) return [source]
  const path = source.uri.slice(MIRROR_LIST.length).replace(/^\/+/, '/')
  const list = await readTextIfThere(path, { limit: LIMIT })
  const lines = (list ?? '').split('\n').map((line) => line.trim().split(/\s/, 1)[0]!)
  const uris = lines.filter((uri) => uri !== '' && !uri.startsWith('#'))
  return list === undefined ? [source] : uris.map((uri) => ({ ...source, uri: uri.replace(/\/$/, '') }))
}
