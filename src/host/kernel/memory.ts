/** System calls that map files, look at the page cache and give advice about it; see syscalls.ts. */
import { checked, native, nativeLater } from './native-call.ts'

const PROT_READ = 1
const MAP_SHARED = 1
const cMmap = native('mmap', 'long', 'long', 'size_t', 'int', 'int', 'int', 'long')
/** Maps the beginning of a file for reading. Returns the address. */
export function mmapFile(file: number, length: number): number {
  return checked(cMmap(0, length, PROT_READ, MAP_SHARED, file, 0), 'mmap')
}

const cMunmap = native('munmap', 'int', 'long', 'size_t')
export function munmap(address: number, length: number): void {
  checked(cMunmap(address, length), 'munmap')
}

const cMincore = native('mincore', 'int', 'long', 'size_t', 'void *')
/** A byte for each page of a mapping, from the beginning of a page on: its lowest bit is set when the page is in memory. */
export function mincore(address: number, length: number): Uint8Array {
  const pages = new Uint8Array(Math.ceil(length / 4096))
  checked(cMincore(address, length, pages), 'mincore')
  return pages
}

export const MADV_WILLNEED = 3
const PIDFD_OPEN = 434
const PROCESS_MADVISE = 440
const sysPidfdOpen = native('syscall', 'long', 'long', 'int', 'uint')
/** A descriptor of this process. */
export function pidfdSelf(): number {
  return checked(sysPidfdOpen(PIDFD_OPEN, process.pid, 0), 'pidfd_open')
}
const sysProcessMadvise = nativeLater('syscall', 'int', 'long', 'int', 'void *', 'size_t', 'int', 'uint')
/** Gives advice on up to 1024 ranges, each a pointer and a length of 64 bits. False where the kernel took none. */
export async function processMadvise(process: number, ranges: Uint8Array, count: number, advice: number) {
  return (await sysProcessMadvise(PROCESS_MADVISE, process, ranges, count, advice, 0)) !== -1
}
