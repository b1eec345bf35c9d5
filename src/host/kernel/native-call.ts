/**
 * How a C function is declared and its failure becomes an error. koffi is loaded by the first call, so importing this costs
 * nothing.
 */
import { constants } from 'node:os'
import { getSystemErrorName } from 'node:util'
import { lastError, loadLibrary, type Native, type NativeLater, type Value } from './native-library.ts'

/**
 * Why the last call of `native` failed. It is read as the very next thing after the call: errno belongs to the whole
 * thread, and whatever the engine does between two functions of ours (compiling one, collecting garbage) may write it.
 */
let lastErrno = 0

/** Declares a function of libc; nothing is loaded before its first call. */
export function native(name: string, result: 'int' | 'long' | 'void', ...args: string[]): Native {
  let bound: Native | undefined
  return (...values) => {
    bound ??= loadLibrary(null).func(name, result, args)
    const value = bound(...values)
    if (value < 0) lastErrno = lastError()
    return value
  }
}

/** Why the last call failed, by name. */
export function lastErrorName(): string {
  return errnoName(lastErrno)
}

/** The same on a thread of libuv's pool. `errno` belongs to that thread: only for calls whose failure can be asked again. */
export function nativeLater(name: string, result: 'int', ...args: string[]): (...values: Value[]) => Promise<number> {
  let bound: NativeLater | undefined
  return (...values) => {
    bound ??= loadLibrary(null).func(name, result, args).async
    const { promise, resolve, reject } = Promise.withResolvers<number>()
    bound(...values, (error, value) => (error ? reject(error) : resolve(value)))
    return promise
  }
}

/** Linux's names that libuv and Node do not know. */
const OTHER_NAMES: Record<number, string> = { 15: 'ENOTBLK', 117: 'EUCLEAN', 126: 'ENOKEY' }

/** `ENOENT` for 2. ENOTSUP and EOPNOTSUPP are one number on Linux; the name is ENOTSUP. */
function errnoName(errno: number): string {
  const name = getSystemErrorName(-errno)
  if (/^E[A-Z0-9]+$/.test(name)) return name
  const known = Object.entries(constants.errno).find(([, value]) => value === errno)
  return known?.[0] ?? OTHER_NAMES[errno] ?? `E${errno}`
}

/** A failed system call. `message` reads like Node's own: `EPERM: mount, '/x'`. */
export class SystemError extends Error {
  override readonly name = 'SystemError'
  readonly code: string
  readonly errno: number
  readonly syscall: string
  readonly path: string | undefined

  constructor(errno: number, syscall: string, path?: string) {
    const code = errnoName(errno)
    super(`${code}: ${syscall}${path === undefined ? '' : `, '${path}'`}`)
    this.code = code
    this.errno = errno
    this.syscall = syscall
    this.path = path
  }
}

/** A path: a string is UTF-8 as everywhere in Node, bytes are taken as they are (names in tars need not be UTF-8). */
export type Path = string | Uint8Array

export function checked(result: number | bigint, syscall: string, path?: Path): number {
  const value = Number(result)
  if (value >= 0) return value
  throw new SystemError(lastErrno, syscall, path === undefined ? undefined : Buffer.from(path).toString())
}

/** The path as C wants it. A NUL inside would silently truncate it. */
export function c(path: Path): Buffer {
  const bytes = Buffer.from(path)
  if (bytes.includes(0)) throw new SystemError(22, 'path', bytes.toString())
  return Buffer.concat([bytes, Buffer.of(0)])
}

export const orNull = (path: Path | undefined) => (path === undefined ? null : c(path))
