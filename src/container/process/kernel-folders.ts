import { BaleError } from '#base'
import { openRoot } from '#host'

/** Where the runtime mounts the kernel's file systems, and makes links and devices by path before it changes the root. */
const FOLDERS = ['/dev', '/proc', '/sys']

/**
 * Refuses a root file system whose /dev, /proc or /sys is something else than a folder. Runtimes before 1.3.6 follow a
 * link there out of the root while they make /dev/fd and its like: files of the machine would be changed (R03).
 */
export function assertKernelFolders(rootfs: string): void {
  using root = openRoot(rootfs)
  for (const path of FOLDERS) {
    const stats = root.statIfThere(path, { follow: false })
    if (stats === undefined || stats.isDirectory()) continue
    throw new BaleError(
      'INVALID_ARGUMENT',
      `the image's ${path} is not a folder: a container of it would not be safe`,
      {
        hint: `use an image in which ${path} is an empty folder, or has none`,
      },
    )
  }
}
