import { randomBytes } from 'node:crypto'
import { linkSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { BaleError, errnoOf } from '#base'
import { readTextSync } from '#host/file'

const LENGTH = 32

/**
 * The registry's secret: 32 random bytes in a file of its owner alone, made when it is missing. `made` tells that there
 * was none. DENIED when others can read it.
 */
export function readSecretFile(path: string): { secret: Uint8Array; made: boolean } {
  const found = read(path)
  if (found) return { secret: found, made: false }
  // Written beside it and put in place whole, so that of two who make it at once both take the same.
  const temporary = `${path}.${randomBytes(6).toString('hex')}`
  try {
    writeFileSync(temporary, `${randomBytes(LENGTH).toString('hex')}\n`, { mode: 0o600, flag: 'wx', flush: true })
    linkSync(temporary, path)
    return { secret: read(path)!, made: true }
  } catch (error) {
    const other = errnoOf(error) === 'EEXIST' ? read(path) : undefined
    if (!other) throw error
    return { secret: other, made: false }
  } finally {
    rmSync(temporary, { force: true })
  }
}

function read(path: string): Uint8Array | undefined {
  const stats = statSync(path, { throwIfNoEntry: false })
  if (!stats) return undefined
  if (stats.mode & 0o077) {
    throw new BaleError('DENIED', `others can read the registry's secret ${path}`, { hint: `chmod 600 ${path}` })
  }
  const text = readTextSync(path).trim()
  if (/^[0-9a-f]{64,}$/.test(text)) return Buffer.from(text, 'hex')
  throw new BaleError('STORE_DAMAGED', `${path} does not hold a secret: at least 64 hexadecimal digits`)
}
