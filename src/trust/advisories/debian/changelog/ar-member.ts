import { BaleError } from '#base'

const MAGIC = '!<arch>\n'
const HEADER = 60

/** Members of an archive that are looked at; a Debian package has three. */
const MOST = 32

/**
 * The bytes of the first member of an ar archive whose name begins so. Throws INVALID_ARCHIVE for what is no such
 * archive, is cut, or has no such member. Source: deb(5); ar(5) of System V, without its long names.
 */
export function arMember(archive: Uint8Array, prefix: string): { name: string; bytes: Uint8Array } {
  const file = Buffer.from(archive.buffer, archive.byteOffset, archive.byteLength)
  if (file.toString('latin1', 0, MAGIC.length) !== MAGIC) throw invalid('is not an ar archive')
  let at = MAGIC.length
  for (let count = 0; count < MOST && at + HEADER <= file.length; count++) {
    const name = file
      .toString('latin1', at, at + 16)
      .trimEnd()
      .replace(/\/$/, '')
    const size = file.toString('latin1', at + 48, at + 58).trimEnd()
    if (file.toString('latin1', at + 58, at + HEADER) !== '`\n' || !/^\d+$/.test(size))
      throw invalid('has a damaged header')
    const start = at + HEADER
    const end = start + Number(size)
    if (end > file.length) throw invalid(`ends in the middle of ${JSON.stringify(name)}`)
    if (name.startsWith(prefix)) return { name, bytes: archive.subarray(start, end) }
    // Members begin at even places.
    at = end + (end % 2)
  }
  throw invalid(`has no member ${prefix}`)
}

function invalid(what: string): BaleError {
  return new BaleError('INVALID_ARCHIVE', `the Debian package ${what}`)
}
