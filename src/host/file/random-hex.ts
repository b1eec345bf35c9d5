import { closeSync, openSync, readSync } from 'node:fs'

/**
 * So many random bytes of the kernel, as hexadecimal digits: for IDs and names that nobody can guess. Not by node:crypto, whose loading
 * takes a tenth of a short command's time.
 */
export function randomHex(bytes: number): string {
  const source = openSync('/dev/urandom', 'r')
  try {
    const taken = Buffer.alloc(bytes)
    // The kernel gives up to 256 at once.
    if (readSync(source, taken) !== bytes) throw new Error(`/dev/urandom gave less than ${bytes} bytes`)
    return taken.toString('hex')
  } finally {
    closeSync(source)
  }
}
