/**
 * The C declarations of system calls. Each function is one call, checked: failure throws a SystemError with
 * `.code` (EPERM …), `.errno` and `.syscall`. koffi is loaded by the first call, so importing this costs nothing.
 * Numbers are those of x86-64 and arm64, which agree for all that is used here.
 */
import { c, checked, lastErrorName, native, nativeLater, orNull, type Path, SystemError } from './native-call.ts'

export { type Path, SystemError }

export const AT_FDCWD = -100
const AT_SYMLINK_NOFOLLOW = 0x100
export const AT_REMOVEDIR = 0x200
const AT_EMPTY_PATH = 0x1000
const AT_RECURSIVE = 0x8000

// mounts

export const MS = {
  RDONLY: 1,
  NOSUID: 2,
  NODEV: 4,
  NOEXEC: 8,
  REMOUNT: 32,
  BIND: 4096,
  REC: 16384,
  UNBINDABLE: 1 << 17,
  PRIVATE: 1 << 18,
  SLAVE: 1 << 19,
  SHARED: 1 << 20,
} as const
export const MNT_DETACH = 2
export const UMOUNT_NOFOLLOW = 8
export const MOUNT_ATTR = { RDONLY: 1, NOSUID: 2, NODEV: 4, NOEXEC: 8, IDMAP: 0x100000 } as const

const cMount = native('mount', 'int', 'void *', 'void *', 'void *', 'ulong', 'void *')
export function mount(source: Path | undefined, target: Path, type: string | undefined, flags: number, data?: Path) {
  checked(cMount(orNull(source), c(target), orNull(type), flags, orNull(data)), 'mount', target)
}

const cUmount2 = native('umount2', 'int', 'void *', 'int')
export function umount2(target: Path, flags: number): void {
  checked(cUmount2(c(target), flags), 'umount2', target)
}

const sysOpen = native('syscall', 'long', 'long', 'void *', 'uint')
export function fsopen(type: string): number {
  return checked(sysOpen(430, c(type), 1), 'fsopen', type)
}

const sysConfig = native('syscall', 'long', 'long', 'int', 'uint', 'void *', 'void *', 'int')
const SET = { flag: 0, string: 1, fd: 5, create: 6 } as const
/** One mount option: `true` is a flag, a string its value (at most 255 bytes), a number a descriptor. */
export function fsconfig(fsFd: number, key: string, value: true | Path | number): void {
  const result =
    value === true
      ? sysConfig(431, fsFd, SET.flag, c(key), null, 0)
      : typeof value === 'number'
        ? sysConfig(431, fsFd, SET.fd, c(key), null, value)
        : sysConfig(431, fsFd, SET.string, c(key), c(value), 0)
  checked(result, 'fsconfig', key)
}
export function fsconfigCreate(fsFd: number): void {
  checked(sysConfig(431, fsFd, SET.create, null, null, 0), 'fsconfig')
}

const sysFsmount = native('syscall', 'long', 'long', 'int', 'uint', 'uint')
/** A detached mount of the configured file system; `attributes` from MOUNT_ATTR. */
export function fsmount(fsFd: number, attributes: number): number {
  return checked(sysFsmount(432, fsFd, 1, attributes), 'fsmount')
}

const sysMove = native('syscall', 'long', 'long', 'int', 'void *', 'int', 'void *', 'uint')
/** Attaches a detached mount at a path, or at the place that a descriptor names. */
export function moveMount(mountFd: number, target: Path | number): void {
  const [directory, path, flags] = typeof target === 'number' ? [target, '', 0x44] : [AT_FDCWD, target, 4]
  checked(sysMove(429, mountFd, c(''), directory, c(path), flags), 'move_mount', path)
}

const sysTree = native('syscall', 'long', 'long', 'int', 'void *', 'uint')
/** A detached clone of the mount at a path (OPEN_TREE_CLONE), optionally with the mounts below it. */
export function openTree(path: Path, options: { recursive?: boolean } = {}): number {
  const flags = 1 | 0o2000000 | (options.recursive ? AT_RECURSIVE : 0)
  return checked(sysTree(428, AT_FDCWD, c(path), flags), 'open_tree', path)
}

const sysSetattr = native('syscall', 'long', 'long', 'int', 'void *', 'uint', 'void *', 'size_t')
interface MountAttributes {
  set?: number
  clear?: number
  /** MS.PRIVATE, MS.SLAVE, MS.SHARED or MS.UNBINDABLE. */
  propagation?: number
  userNamespaceFd?: number
}
/** Changes a mount: `at` a path, or the descriptor of a detached mount. */
export function mountSetattr(at: Path | number, attributes: MountAttributes, recursive = false): void {
  const words = BigUint64Array.of(
    BigInt(attributes.set ?? 0),
    BigInt(attributes.clear ?? 0),
    BigInt(attributes.propagation ?? 0),
    BigInt(attributes.userNamespaceFd ?? 0),
  )
  const [fd, path, empty] = typeof at === 'number' ? [at, '', AT_EMPTY_PATH] : [AT_FDCWD, at, 0]
  const flags = empty | (recursive ? AT_RECURSIVE : 0)
  checked(sysSetattr(442, fd, c(path), flags, new Uint8Array(words.buffer), 32), 'mount_setattr', path)
}

// files relative to a directory's descriptor; `name` may be a path where the call follows paths

export const RESOLVE = { NO_XDEV: 1, NO_MAGICLINKS: 2, NO_SYMLINKS: 4, BENEATH: 8, IN_ROOT: 0x10 } as const
export const O_PATH = 0o10000000
export const O_CLOEXEC = 0o2000000

const sysOpenat2 = native('syscall', 'long', 'long', 'int', 'void *', 'void *', 'size_t')
/** openat2(2). EAGAIN (a rename raced with `..`) is tried again a few times, as its manual advises. */
export function openat2(directory: number, path: Path, flags: number, mode: number, resolve: number): number {
  const how = BigUint64Array.of(BigInt(flags | O_CLOEXEC), BigInt(mode), BigInt(resolve))
  for (let attempt = 0; ; attempt++) {
    try {
      return checked(sysOpenat2(437, directory, c(path), new Uint8Array(how.buffer), 24), 'openat2', path)
    } catch (error) {
      if (attempt < 64 && error instanceof SystemError && ['EAGAIN', 'EINTR'].includes(error.code)) continue
      throw error
    }
  }
}

const sysStatx = native('syscall', 'long', 'long', 'int', 'void *', 'int', 'uint', 'void *')
const STATX = process.arch === 'arm64' ? 291 : 332
const STATX_BASIC = 0x7ff
/**
 * statx(2), links not followed, into the 256 bytes of `into`; `name` ends with a NUL already, and an empty one means the
 * descriptor itself. For whole trees: nothing is allocated.
 */
export function statxAt(directory: number, name: Uint8Array, into: Uint8Array): void {
  const flags = AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH
  checked(sysStatx(STATX, directory, name, flags, STATX_BASIC, into), 'statx')
}

const cOpenat = native('openat', 'int', 'int', 'void *', 'int')
/** openat(2) of what is there; `name` ends with a NUL already. */
export function openAt(directory: number, name: Uint8Array, flags: number): number {
  const descriptor = cOpenat(directory, name, flags)
  // An error is rare, its path is not worth a copy of every name.
  return checked(descriptor, 'openat', descriptor < 0 ? name.subarray(0, name.indexOf(0)) : undefined)
}

const cMkdirat = native('mkdirat', 'int', 'int', 'void *', 'uint')
export function mkdirat(directory: number, name: Path, mode: number): void {
  checked(cMkdirat(directory, c(name), mode), 'mkdirat', name)
}

const cMknodat = native('mknodat', 'int', 'int', 'void *', 'uint', 'ulong')
/** `mode` holds the type (S_IFCHR 0o020000, S_IFBLK 0o060000, S_IFIFO 0o010000, S_IFREG 0o100000) and permissions. */
export function mknodat(directory: number, name: Path, mode: number, major = 0, minor = 0): void {
  const high = BigInt(major)
  const low = BigInt(minor)
  const device = (low & 0xffn) | ((high & 0xfffn) << 8n) | ((low & ~0xffn) << 12n) | ((high & ~0xfffn) << 32n)
  checked(cMknodat(directory, c(name), mode, device), 'mknodat', name)
}
export function mknod(path: Path, mode: number, major = 0, minor = 0): void {
  mknodat(AT_FDCWD, path, mode, major, minor)
}

const cSymlinkat = native('symlinkat', 'int', 'void *', 'int', 'void *')
export function symlinkat(target: Path, directory: number, name: Path): void {
  checked(cSymlinkat(c(target), directory, c(name)), 'symlinkat', name)
}

const cReadlinkat = native('readlinkat', 'long', 'int', 'void *', 'void *', 'size_t')
/** The bytes of a link; an empty name reads the link that `directory` (O_PATH | O_NOFOLLOW) itself is. */
export function readlinkat(directory: number, name: Path): Buffer {
  const buffer = Buffer.alloc(4096)
  return buffer.subarray(0, checked(cReadlinkat(directory, c(name), buffer, buffer.length), 'readlinkat', name))
}

const cLinkat = native('linkat', 'int', 'int', 'void *', 'int', 'void *', 'int')
/** A hard link; links are not followed. */
export function linkat(fromDirectory: number, from: Path, toDirectory: number, to: Path): void {
  checked(cLinkat(fromDirectory, c(from), toDirectory, c(to), 0), 'linkat', to)
}

const cUnlinkat = native('unlinkat', 'int', 'int', 'void *', 'int')
export function unlinkat(directory: number, name: Path, flags = 0): void {
  checked(cUnlinkat(directory, c(name), flags), 'unlinkat', name)
}

const sysRenameat2 = native('syscall', 'long', 'long', 'int', 'void *', 'int', 'void *', 'uint')
export const RENAME = { NOREPLACE: 1, EXCHANGE: 2 } as const
const RENAMEAT2 = process.arch === 'arm64' ? 276 : 316
export function renameat2(fromDirectory: number, from: Path, toDirectory: number, to: Path, flags: number): void {
  checked(sysRenameat2(RENAMEAT2, fromDirectory, c(from), toDirectory, c(to), flags), 'renameat2', to)
}

const cFchownat = native('fchownat', 'int', 'int', 'void *', 'uint', 'uint', 'int')
/** Owner of the entry itself, never of what a link points to. */
export function fchownat(directory: number, name: Path, uid: number, gid: number): void {
  checked(cFchownat(directory, c(name), uid, gid, AT_SYMLINK_NOFOLLOW), 'fchownat', name)
}
export function lchown(path: Path, uid: number, gid: number): void {
  fchownat(AT_FDCWD, path, uid, gid)
}

const cUtimensat = native('utimensat', 'int', 'int', 'void *', 'void *', 'int')
/** Seconds since 1970 (may be negative) and nanoseconds 0 … 999 999 999. */
export interface Time {
  seconds: number
  nanoseconds: number
}
/** Times of the entry itself, never of what a link points to. */
export function utimensat(directory: number, name: Path, access: Time, modification: Time): void {
  const times = BigInt64Array.of(
    BigInt(access.seconds),
    BigInt(access.nanoseconds),
    BigInt(modification.seconds),
    BigInt(modification.nanoseconds),
  )
  const flags = AT_SYMLINK_NOFOLLOW
  checked(cUtimensat(directory, c(name), new Uint8Array(times.buffer), flags), 'utimensat', name)
}

// extended attributes of the entry itself, links not followed

const cSetxattr = native('lsetxattr', 'int', 'void *', 'void *', 'void *', 'size_t', 'int')
export function lsetxattr(path: Path, name: Path, value: Uint8Array): void {
  // An empty value still needs a pointer that is not NULL.
  const bytes = value.length ? value : Buffer.alloc(1)
  checked(cSetxattr(c(path), c(name), bytes, value.length, 0), 'lsetxattr', path)
}

/** The largest that a value, or all names of an entry, may be (XATTR_SIZE_MAX, XATTR_LIST_MAX). Making it takes longer than the call. */
let attributes: Buffer | undefined
function attributeRoom(): Buffer {
  attributes ??= Buffer.alloc(65536)
  return attributes
}

const cGetxattr = native('lgetxattr', 'long', 'void *', 'void *', 'void *', 'size_t')
/** Throws ENODATA when the attribute is absent. */
export function lgetxattr(path: Path, name: Path): Buffer {
  const room = attributeRoom()
  return Buffer.from(room.subarray(0, checked(cGetxattr(c(path), c(name), room, room.length), 'lgetxattr', path)))
}

const cListxattr = native('llistxattr', 'long', 'void *', 'void *', 'size_t')
/** The bytes that the names of an entry take; `path` ends with a NUL already. Nothing is allocated. */
export function listxattrSize(path: Uint8Array): number {
  return checked(cListxattr(path, null, 0), 'llistxattr')
}

/** Names as latin1 strings, one character per byte. */
export function listxattrNames(path: Path): string[] {
  const size = checked(cListxattr(c(path), null, 0), 'llistxattr', path)
  if (size === 0) return []
  const room = attributeRoom()
  const length = checked(cListxattr(c(path), room, room.length), 'llistxattr', path)
  return room.subarray(0, length).toString('latin1').split('\0').slice(0, -1)
}

// open files

export const LOCK = { SHARED: 1, EXCLUSIVE: 2, NONBLOCK: 4, UNLOCK: 8 } as const
const cFlock = native('flock', 'int', 'int', 'int')
/** flock(2): belongs to the open file, so it dies with its last descriptor. With NONBLOCK a held lock throws EAGAIN. */
export function flock(fd: number, operation: number): void {
  checked(cFlock(fd, operation), 'flock')
}

export const SEEK = { DATA: 3, HOLE: 4 } as const
const cSeek = native('lseek', 'long', 'int', 'int64', 'int')
/** lseek(2): the next byte with data, or the next hole, from `offset` on; ENXIO after the last data. */
export function lseek(fd: number, offset: number, whence: number): number {
  return checked(cSeek(fd, offset, whence), 'lseek')
}

const cSyncfs = native('syncfs', 'int', 'int')
export function syncfs(fd: number): void {
  checked(cSyncfs(fd), 'syncfs')
}

const cIoctl = native('ioctl', 'int', 'int', 'ulong', 'void *')
const cIoctlNumber = native('ioctl', 'int', 'int', 'ulong', 'long')
export function ioctl(fd: number, request: number, argument: Uint8Array | number = 0): number {
  const result = typeof argument === 'number' ? cIoctlNumber(fd, request, argument) : cIoctl(fd, request, argument)
  return checked(result, 'ioctl')
}

// namespaces of the calling thread alone

export const CLONE_NEWNET = 0x40000000
const cUnshare = native('unshare', 'int', 'int')
/** Puts this thread into new namespaces of the given kinds. */
export function unshare(kinds: number): void {
  checked(cUnshare(kinds), 'unshare')
}

const cSetns = native('setns', 'int', 'int', 'int')
/** Puts this thread into the namespace, of the given kind, that a descriptor names. */
export function setns(fd: number, kind: number): void {
  checked(cSetns(fd, kind), 'setns')
}

// what a process was given by the one that started it

export const SCHED_OTHER = 0
const cSchedSetScheduler = native('sched_setscheduler', 'int', 'int', 'int', 'void *')
/** A thread's scheduling class, without a priority. */
export function schedSetScheduler(thread: number, policy: number): void {
  checked(cSchedSetScheduler(thread, policy, Buffer.alloc(4)), 'sched_setscheduler')
}

const cSetPriority = native('setpriority', 'int', 'int', 'uint', 'int')
/** A thread's niceness. */
export function setNiceness(thread: number, nice: number): void {
  checked(cSetPriority(0, thread, nice), 'setpriority')
}

const cIoprioSet = native('syscall', 'long', 'long', 'int', 'int', 'int')
/** A thread's I/O class and level as ioprio_set(2) packs them; 0 is "as its niceness says". */
export function ioprioSet(thread: number, ioprio: number): void {
  checked(cIoprioSet(process.arch === 'x64' ? 251 : 30, 1, thread, ioprio), 'ioprio_set')
}

/** Bits enough for the largest machines, CONFIG_NR_CPUS. */
const CPU_SET_BYTES = 1024
const cSchedSetAffinity = native('sched_setaffinity', 'int', 'int', 'size_t', 'void *')
/** Lets a thread run on every CPU that its control group has. */
export function schedSetAffinity(thread: number): void {
  checked(cSchedSetAffinity(thread, CPU_SET_BYTES, Buffer.alloc(CPU_SET_BYTES, 0xff)), 'sched_setaffinity')
}

const cPrlimit = native('prlimit64', 'int', 'int', 'int', 'void *', 'void *')
/** Raises a process's soft limit to its hard one. */
export function prlimitSoftToHard(pid: number, resource: number): void {
  const limits = Buffer.alloc(16)
  checked(cPrlimit(pid, resource, null, limits), 'prlimit64')
  limits.copy(limits, 0, 8, 16)
  checked(cPrlimit(pid, resource, limits, null), 'prlimit64')
}

// unix sockets that Node's net cannot open

export const SOCK = { DGRAM: 2, SEQPACKET: 5, CLOEXEC: 0o2000000, NONBLOCK: 0o4000 } as const

const cSocket = native('socket', 'int', 'int', 'int', 'int')
const UNIX = 1
/** A socket, unix by default. */
export function socket(type: number, family = UNIX): number {
  return checked(cSocket(family, type, 0), 'socket')
}

const cConnect = native('connect', 'int', 'int', 'void *', 'uint')
/** Connects to a path of at most 107 bytes (ENAMETOOLONG otherwise). */
export function connect(fd: number, path: Path): void {
  const bytes = c(path)
  if (bytes.length > 108) throw new SystemError(36, 'connect', bytes.toString())
  const address = Buffer.alloc(110)
  address.writeUInt16LE(1, 0)
  bytes.copy(address, 2)
  checked(cConnect(fd, address, address.length), 'connect', path)
}

const cDuplicate = native('fcntl', 'int', 'int', 'int', 'int')
const F_DUPFD_CLOEXEC = 1030
/** Another descriptor of the same open file or socket. */
export function duplicate(fd: number): number {
  return checked(cDuplicate(fd, F_DUPFD_CLOEXEC, 0), 'fcntl')
}

const cSend = native('send', 'long', 'int', 'void *', 'size_t', 'int')
const MSG_NOSIGNAL = 0x4000
/** A packet is sent whole or not at all. */
export function send(fd: number, packet: Uint8Array): void {
  checked(cSend(fd, packet, packet.length, MSG_NOSIGNAL), 'send')
}

export const SHUT = { WRITE: 1, BOTH: 2 } as const
const cShutdown = native('shutdown', 'int', 'int', 'int')
/** Closes one half of a connection, or both; of one whose peer is gone there is nothing left to close. */
export function shutdown(fd: number, how: number): void {
  const result = cShutdown(fd, how)
  if (result !== 0 && lastErrorName() !== 'ENOTCONN') checked(result, 'shutdown')
}

export const POLL = { IN: 1, OUT: 4 } as const
const cPoll = nativeLater('poll', 'int', 'void *', 'ulong', 'int')
/** Waits until one of `events` occurs or the connection ends; the next call shows which. */
export async function pollLater(fd: number, events: number): Promise<void> {
  const request = Buffer.alloc(8)
  request.writeInt32LE(fd, 0)
  request.writeInt16LE(events, 4)
  await cPoll(request, 1, -1)
}

const cRecv = native('recv', 'long', 'int', 'void *', 'size_t', 'int')
export function recv(fd: number, buffer: Uint8Array, flags = 0): number {
  return checked(cRecv(fd, buffer, buffer.length, flags), 'recv')
}

// terminals

/** Bytes of struct termios are 60 with glibc and musl. */
const TERMIOS_SIZE = 64
const cTcgetattr = native('tcgetattr', 'int', 'int', 'void *')
/** A terminal's modes, as the C library keeps them. */
export function tcgetattr(fd: number): Uint8Array {
  const modes = Buffer.alloc(TERMIOS_SIZE)
  checked(cTcgetattr(fd, modes), 'tcgetattr')
  return modes
}

const cCfmakeraw = native('cfmakeraw', 'void', 'void *')
/** The same modes with every byte passed as it is, in both directions. */
export function cfmakeraw(modes: Uint8Array): Uint8Array {
  const raw = Buffer.from(modes)
  cCfmakeraw(raw)
  return raw
}

const cTcsetattr = native('tcsetattr', 'int', 'int', 'int', 'void *')
/** Sets the modes at once, without waiting for output that may never be read. */
export function tcsetattr(fd: number, modes: Uint8Array): void {
  checked(cTcsetattr(fd, 0, modes), 'tcsetattr')
}
