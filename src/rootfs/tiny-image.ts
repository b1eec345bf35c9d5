import { createErofsWriter } from '#format/erofs'

/** The smallest image: an empty root directory. What the kernel is asked to mount when its abilities are tried. */
export async function tinyImage(): Promise<Uint8Array> {
  const image = Buffer.alloc(2 * 4096)
  const writer = createErofsWriter({ writeAt: (position, bytes) => void image.set(bytes, position) })
  await writer.finish({
    attributes: { type: 'directory', permissions: 0o755, uid: 0, gid: 0, mtime: 0, mtimeNanoseconds: 0 },
    xattrs: new Map(),
    children: new Map(),
  })
  return image
}
