import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { BaleError, errnoOf } from '#base'
import { mayMount, probeMounts, siblingModule } from '#host'
import { makeFolder, readText, writeFileAtomic } from '#host/file'
import type { LayerFormatName, LayerFormatReference } from '#store'

/** Both formats, for the store: one is chosen for writing, layers of the other stay readable. */
export const layerFormats: Readonly<Record<LayerFormatName, LayerFormatReference>> = {
  erofs: { name: 'erofs', module: siblingModule(import.meta.url, './erofs-format') },
  extract: { name: 'extract', module: siblingModule(import.meta.url, './extract-format') },
}

/** Remembers the last probe, which is good until the next boot (another kernel, other rights). */
const CHOICE = 'layer-format'

/**
 * EROFS images where this kernel can mount one that lies in the store root (as a file, or by a loop device), extraction
 * otherwise. `wanted` overrules the probe; erofs then fails here, and not at the first run, when it cannot work.
 *
 * Who may not mount cannot run anything in either form, but can keep images and move them: then images it is, since they
 * are written without any right, while a tree needs files that belong to others.
 */
export async function chooseLayerFormat(
  root: string,
  wanted: LayerFormatName | 'auto' = 'auto',
): Promise<LayerFormatReference> {
  if (!mayMount()) {
    if (wanted === 'extract')
      throw new BaleError('UNSUPPORTED_HOST', 'only root can extract layers: their files belong to many users', {
        hint: 'leave --snapshotter out (images can be kept and moved, not run), or run bale as root: sudo bale …',
      })
    return layerFormats.erofs
  }
  if (wanted === 'extract') return layerFormats.extract
  const boot = (await readText('/proc/sys/kernel/random/boot_id')).trim()
  const key = `${boot} ${process.getuid?.() ?? 0}`
  const format = (await remembered(root, key)) ?? (await probe(root, key))
  if (wanted === 'erofs' && format !== 'erofs')
    throw new BaleError('UNSUPPORTED_HOST', `EROFS images in ${root} cannot be mounted here`, {
      hint: 'use --snapshotter extract, or a store on ext4, XFS or btrfs with Linux 5.4 or newer, as root',
    })
  return layerFormats[format]
}

async function remembered(root: string, key: string): Promise<LayerFormatName | undefined> {
  let text: string
  try {
    text = await readText(join(root, CHOICE))
  } catch (error) {
    // A file in the way is told by whoever makes the folder.
    if (['ENOENT', 'ENOTDIR'].includes(errnoOf(error) ?? '')) return undefined
    throw error
  }
  const [format, ...rest] = text.trim().split(' ')
  return rest.join(' ') === key && (format === 'erofs' || format === 'extract') ? format : undefined
}

async function probe(root: string, key: string): Promise<LayerFormatName> {
  makeFolder(root)
  const { tinyImage } = await import('./tiny-image.ts')
  const { erofs } = await probeMounts(root, async (path) => writeFile(path, await tinyImage()))
  const format: LayerFormatName = erofs === undefined ? 'extract' : 'erofs'
  await writeFileAtomic(join(root, CHOICE), `${format} ${key}\n`)
  return format
}
