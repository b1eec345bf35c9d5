import { createHash, type Hash } from 'node:crypto'
import * as fs from 'node:fs'
import { readXattrs } from '#host'

/**
 * sha256 over everything that an extracted layer must keep: names, types, owners, modes, times, link counts, attributes
 * and contents. Links are not followed.
 */
export function treeDigest(directory: string): string {
  const hash = createHash('sha256')
  addTree(hash, Buffer.from(directory), '')
  return hash.digest('hex')
}

function addTree(hash: Hash, path: Buffer, name: string): void {
  const stat = fs.lstatSync(path, { bigint: true })
  const links = stat.isDirectory() ? 0n : stat.nlink
  hash.update(JSON.stringify([name, ...[stat.mode, stat.uid, stat.gid, stat.mtimeNs, links, stat.rdev].map(String)]))
  for (const [key, value] of [...readXattrs(path)].sort(([a], [b]) => (a < b ? -1 : 1)))
    hash.update(JSON.stringify([key, Buffer.from(value).toString('latin1')]))
  if (stat.isSymbolicLink()) hash.update(fs.readlinkSync(path, { encoding: 'buffer' }))
  else if (stat.isFile()) addContent(hash, path)
  else if (stat.isDirectory())
    for (const child of fs.readdirSync(path, { encoding: 'buffer' }).sort(Buffer.compare))
      addTree(hash, Buffer.concat([path, SLASH, child]), `${name}/${child.toString('latin1')}`)
}

const SLASH = Buffer.from('/')
const PIECE = Buffer.allocUnsafeSlow(256 * 1024)

function addContent(hash: Hash, path: Buffer): void {
  const fd = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW)
  try {
    for (let count = fs.readSync(fd, PIECE); count > 0; count = fs.readSync(fd, PIECE))
      hash.update(PIECE.subarray(0, count))
  } finally {
    fs.closeSync(fd)
  }
}
