import { createRequire } from 'node:module'

export type Value = number | bigint | string | Uint8Array | null
export type Native = (...values: Value[]) => number | bigint
export type NativeLater = (...values: [...Value[], (error: Error | null, result: number) => void]) => void

/** A shared library whose functions can be declared. */
interface NativeLibrary {
  func(name: string, result: string, args: readonly string[]): Native & { async: NativeLater }
}

interface Koffi {
  load(path: string | null): NativeLibrary
  errno(): number
  address(bytes: Uint8Array): bigint
}

let koffi: Koffi | undefined
const libraries = new Map<string | null, NativeLibrary>()

/** A library by its path, or what the process has loaded already (libc) for null. koffi is loaded by the first call. */
export function loadLibrary(path: string | null): NativeLibrary {
  const known = libraries.get(path)
  if (known) return known
  const library = loadKoffi().load(path)
  libraries.set(path, library)
  return library
}

/** errno of this thread. */
export function lastError(): number {
  return loadKoffi().errno()
}

/**
 * Where the first byte of `bytes` is, for structures that hold pointers. The memory of an ArrayBuffer does not move, and is
 * there as long as somebody refers to it: whoever writes an address down keeps the buffer too.
 */
export function addressOf(bytes: Uint8Array): bigint {
  return loadKoffi().address(bytes)
}

function loadKoffi(): Koffi {
  if (koffi !== undefined) return koffi
  koffi = koffiModule()
  // Called once for nothing, so that nothing is compiled or resolved between the first failing call and its reason.
  lastError()
  return koffi
}

/**
 * Its native part alone, where npm has put that beside it. What koffi itself adds is not used here, and takes longer to load than all
 * else in a short command: it looks at every member of node:util, which loads worker threads and more.
 */
function koffiModule(): Koffi {
  const require = createRequire(import.meta.url)
  try {
    return createRequire(require.resolve('koffi'))(`@koromix/koffi-${process.platform}-${process.arch}`)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw error
    return require('koffi')
  }
}
