import { posix } from 'node:path'

/**
 * Paths inside trees are latin1 strings, one character per byte, as in tars: names that are no UTF-8 survive, and sorting
 * is bytewise. They are relative (`a/b`, `` is the root), clean, without `..`.
 */
export function toBytes(path: string): Buffer {
  return Buffer.from(path, 'latin1')
}

/** From text of a Dockerfile. */
export function fromText(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1')
}

const ASCII = /^[\x00-\x7f]*$/

/** For messages and patterns. */
export function toText(path: string): string {
  if (ASCII.test(path)) return path
  return Buffer.from(path, 'latin1').toString('utf8')
}

/** Makes any path relative to the root it is seen from; `..` stops at the root. */
export function cleanPath(path: string): string {
  return posix.resolve('/', path).slice(1)
}

export function joinPath(directory: string, name: string): string {
  return directory === '' ? name : `${directory}/${name}`
}

export function parentOf(path: string): string {
  return path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : ''
}

export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}
