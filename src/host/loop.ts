import { closeSync, constants, openSync } from 'node:fs'
import { errnoOf } from '#base'
import { ioctl, mknod, O_CLOEXEC } from './kernel/syscalls.ts'

const LOOP_CTL_GET_FREE = 0x4c82
const LOOP_CONFIGURE = 0x4c0a
const READ_ONLY = 1
const AUTOCLEAR = 4

/** A read-only loop device over a file. It frees itself when `fd` and all mounts of it are closed. */
interface LoopDevice {
  path: string
  fd: number
}

/** Linux 5.8 or newer (LOOP_CONFIGURE). Another process may take the free device first: then the next one is tried. */
export function attachLoop(file: string): LoopDevice {
  const flags = constants.O_RDONLY | O_CLOEXEC
  const backing = openSync(file, flags)
  try {
    for (let attempt = 0; ; attempt++) {
      const control = openSync('/dev/loop-control', constants.O_RDWR | O_CLOEXEC)
      const number = getFree(control)
      const path = `/dev/loop${number}`
      const fd = openNode(path, number, flags)
      try {
        ioctl(fd, LOOP_CONFIGURE, loopConfig(backing))
        return { path, fd }
      } catch (error) {
        closeSync(fd)
        if (errnoOf(error) !== 'EBUSY' || attempt >= 32) throw error
      }
    }
  } finally {
    closeSync(backing)
  }
}

function getFree(control: number): number {
  try {
    return ioctl(control, LOOP_CTL_GET_FREE)
  } finally {
    closeSync(control)
  }
}

/** /dev of a container or chroot often lacks the nodes of devices made later. */
function openNode(path: string, number: number, flags: number): number {
  try {
    return openSync(path, flags)
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error
    try {
      mknod(path, 0o060660, 7, number)
    } catch (made) {
      if (errnoOf(made) !== 'EEXIST') throw made
    }
    return openSync(path, flags)
  }
}

/** struct loop_config: fd, block size, struct loop_info64 (flags at its offset 52), 64 reserved bytes. */
function loopConfig(backing: number): Uint8Array {
  const config = Buffer.alloc(304)
  config.writeUInt32LE(backing, 0)
  config.writeUInt32LE(READ_ONLY | AUTOCLEAR, 8 + 52)
  return config
}
