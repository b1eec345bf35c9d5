import * as fs from 'node:fs'
import { errnoOf, type OperationOptions, printable, silent } from '#base'
import { type ErofsImage, readLink, TYPES, type WalkedInode, walkImage } from '#format/erofs'
import { lchown, mknod, utimensat, writeXattr } from '#host'
import { writeData } from '#host/file'

/**
 * Makes the image's tree in a new directory: owners, modes, times, extended attributes, hard links, devices, and whiteouts as
 * overlayfs wants them (they are devices 0:0 in the image already). Parents come before their children and are directories made
 * here, so no link is ever followed. Where the user may not make devices, they are left out with a warning (T12).
 */
export async function extractImage(
  image: ErofsImage,
  directory: string,
  options: OperationOptions = {},
): Promise<void> {
  const progress = options.progress ?? silent
  const made = new Map<number, Buffer>()
  const directories: { path: Buffer; inode: WalkedInode }[] = []
  for await (const inode of walkImage(image)) {
    options.signal?.throwIfAborted()
    const path = Buffer.from(
      inode.path === '' ? directory : `${latin1(directory)}/${inode.path}`,
      inode.path === '' ? 'utf8' : 'latin1',
    )
    if (inode.type === 'directory') {
      fs.mkdirSync(path, { mode: 0o700 })
      directories.push({ path, inode })
      continue
    }
    const first = made.get(inode.nid)
    if (first) {
      fs.linkSync(first, path)
      continue
    }
    if (inode.type === 'file') await writeFile(image, inode, path)
    else if (inode.type === 'symlink') fs.symlinkSync(Buffer.from(await readLink(image, inode.nid), 'latin1'), path)
    else if (!makeDevice(inode, path)) {
      progress({ kind: 'warning', text: `the device ${printable(inode.path)} was skipped: not permitted` })
      continue
    }
    if (inode.links > 1) made.set(inode.nid, path)
    await setAttributes(image, inode, path)
  }
  // Times of a directory change with every name made in it, and a directory may be read-only.
  for (const { path, inode } of directories.reverse()) await setAttributes(image, inode, path)
}

async function writeFile(image: ErofsImage, inode: WalkedInode, path: Buffer): Promise<void> {
  const fd = fs.openSync(path, 'wx', 0o600)
  try {
    for (const { offset, length } of await image.extents(inode.nid)) {
      let position = offset
      for await (const bytes of image.readData(inode.nid, { start: offset, length })) {
        writeData(fd, bytes, position)
        position += bytes.length
      }
    }
    fs.ftruncateSync(fd, inode.size)
  } finally {
    fs.closeSync(fd)
  }
}

/** False when this user may not make it. A whiteout is a device that every user may make. */
function makeDevice(inode: WalkedInode, path: Buffer): boolean {
  try {
    mknod(path, TYPES[inode.type].mode | 0o600, inode.deviceMajor, inode.deviceMinor)
    return true
  } catch (error) {
    if (errnoOf(error) !== 'EPERM' || inode.type === 'fifo') throw error
    return false
  }
}

/** Owner first: changing it takes setuid bits and capabilities away. */
async function setAttributes(image: ErofsImage, inode: WalkedInode, path: Buffer): Promise<void> {
  permitted(() => lchown(path, inode.uid, inode.gid))
  if (inode.type !== 'symlink') fs.chmodSync(path, inode.permissions)
  for (const [name, value] of await image.xattrs(inode.nid)) permitted(() => writeXattr(path, name, value))
  const time = { seconds: inode.mtime, nanoseconds: inode.mtimeNanoseconds }
  utimensat(-100, path, time, time)
}

/** An ordinary user cannot give files away nor set trusted attributes; in a user namespace he can. */
function permitted(act: () => void): void {
  try {
    act()
  } catch (error) {
    if (errnoOf(error) !== 'EPERM' || process.getuid?.() === 0) throw error
  }
}

const latin1 = (text: string) => Buffer.from(text).toString('latin1')
