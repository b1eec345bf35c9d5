import { realpathSync } from 'node:fs'
import { basename } from 'node:path'
import { errnoOf } from '#base'

/** Fixed, so that neither LD_LIBRARY_PATH nor anything in an image chooses what is loaded. */
const PLACES = [
  '/usr/lib/x86_64-linux-gnu/libisal.so.2',
  '/usr/lib/aarch64-linux-gnu/libisal.so.2',
  '/usr/lib64/libisal.so.2',
  '/usr/lib/libisal.so.2',
]

/** The file of the library and its version, which its name ends with (libtool: 2.0.30 is release 2.30). */
export function findLibrary(): { path: string; version: string } | undefined {
  for (const place of PLACES) {
    const path = realPath(place)
    const version = path === undefined ? undefined : /^libisal\.so\.(2\.\d+\.\d+)$/.exec(basename(path))?.[1]
    if (path !== undefined && version !== undefined) return { path, version }
  }
  return undefined
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync(path)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw error
  }
}
