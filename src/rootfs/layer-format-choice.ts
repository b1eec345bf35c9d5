import { join } from 'node:path'
import { BaleError, errnoOf } from '#base'
import { mayMount, probeMounts } from '#host'
import { makeDirectory, readTextSync, siblingModule, writeFileAtomic } from '#host/file'
import type { LayerFormatName, LayerFormats } from '#store'
import { layerFormatLoaders } from './layer-formats.ts'

/** What the store takes, with one format chosen for writing. */
function formatsWriting(written: LayerFormatName): LayerFormats {
  return { written, loaders: layerFormatLoaders, worker: siblingModule(import.meta.url, './layer-worker') }
}

/** Remembers the last probe, which is good until the next boot (another kernel, other rights). */
const CHOICE = 'layer-format'

/** How layer images are mounted: as `mountErofs` does by itself (`file`), or always through loop devices. */
export interface LayerMounts {
  by: 'file' | 'loop'
  /** The reason, for messages. */
  reason: string
}

/** What a probe found out. */
interface Abilities {
  format: LayerFormatName
  mounts: LayerMounts['by']
  /** What a short read of a mounted image file gives. */
  shortReads: 'errors' | 'zeros' | 'untried'
}

/**
 * EROFS images where this kernel can mount one from the store root (as a file, or by a loop device), extraction
 * otherwise. `wanted` overrules the probe; erofs then fails here, and not at the first run, when it cannot work.
 *
 * A user who cannot mount cannot run containers in either format, but can store and copy images: EROFS is used then, since images
 * are written without any right, while a tree needs files that belong to others.
 */
export async function chooseLayerFormat(
  root: string,
  wanted: LayerFormatName | 'auto' = 'auto',
): Promise<LayerFormats> {
  if (!mayMount()) {
    if (wanted === 'extract')
      throw new BaleError('UNSUPPORTED_HOST', 'only root can extract layers: their files belong to many users', {
        next: { act: 'choose-layer-format' },
      })
    return formatsWriting('erofs')
  }
  if (wanted === 'extract') return formatsWriting('extract')
  const { format } = await abilities(root)
  if (wanted === 'erofs' && format !== 'erofs')
    throw new BaleError('UNSUPPORTED_HOST', `EROFS images in ${root} cannot be mounted here`, {
      next: { act: 'choose-layer-format', format: 'extract' },
    })
  return formatsWriting(format)
}

/**
 * Straight from their files where that is safe. A kernel that fills short reads with zeros does so, too, when a reader is
 * killed while the disk works: then all containers of the layer see zeros, and loop devices are taken.
 */
export async function chooseLayerMounts(
  root: string,
  wanted: LayerMounts['by'] | 'auto' = 'auto',
): Promise<LayerMounts> {
  if (wanted !== 'auto') return { by: wanted, reason: 'as configured' }
  if (!mayMount()) return { by: 'file', reason: 'nothing is mounted without root' }
  const { mounts, shortReads } = await abilities(root)
  return { by: mounts, reason: REASONS[mounts][shortReads] }
}

const REASONS: Readonly<Record<LayerMounts['by'], Readonly<Record<Abilities['shortReads'], string>>>> = {
  file: {
    errors: 'this kernel reports short reads as errors',
    zeros: 'this kernel fills short reads with zeros, but has no loop devices',
    untried: 'not tested: this kernel cannot mount such an image here',
  },
  loop: {
    errors: 'this kernel reports short reads as errors',
    zeros: 'this kernel fills short reads of a mounted file with zeros',
    untried: 'this kernel or filesystem cannot mount a file directly',
  },
}

async function abilities(root: string): Promise<Abilities> {
  // At once, since most commands pass here: nothing that reads beside others is loaded for two short files.
  const boot = readTextSync('/proc/sys/kernel/random/boot_id').trim()
  const key = `${boot} ${process.getuid?.() ?? 0}`
  return remembered(root, key) ?? (await probe(root, key))
}

/** `FORMAT MOUNTS SHORT-READS BOOT USER`; what another version wrote is as nothing. */
function remembered(root: string, key: string): Abilities | undefined {
  let text: string
  try {
    text = readTextSync(join(root, CHOICE))
  } catch (error) {
    // A file in the way is reported when the directory is created.
    if (['ENOENT', 'ENOTDIR'].includes(errnoOf(error) ?? '')) return undefined
    throw error
  }
  const [format, mounts, shortReads, ...rest] = text.trim().split(' ')
  if (rest.join(' ') !== key) return undefined
  if (format !== 'erofs' && format !== 'extract') return undefined
  if (mounts !== 'file' && mounts !== 'loop') return undefined
  if (shortReads !== 'errors' && shortReads !== 'zeros' && shortReads !== 'untried') return undefined
  return { format, mounts, shortReads }
}

async function probe(root: string, key: string): Promise<Abilities> {
  makeDirectory(root)
  const { tinyImage } = await import('./tiny-image.ts')
  const { erofs, zeroFills } = await probeMounts(root, await tinyImage())
  const found: Abilities = {
    format: erofs === undefined ? 'extract' : 'erofs',
    mounts: erofs ?? 'file',
    shortReads: zeroFills ? 'zeros' : erofs === 'file' ? 'errors' : 'untried',
  }
  await writeFileAtomic(join(root, CHOICE), `${found.format} ${found.mounts} ${found.shortReads} ${key}\n`)
  return found
}
