/**
 * host: the machine below. Mounts, paths inside hostile trees, extended attributes, what the kernel can. The only home of
 * system calls. Promises: koffi is loaded by the first call that needs it, never by an import; errors carry `.code`
 * (errno) or are BaleErrors; files that survive crashes are in `#host/file`. Does not: know images or containers.
 */
export { openRoot, type RootDirectory } from './beneath.ts'
export { addBridgePort } from './bridge-port.ts'
export {
  type CgroupLayout,
  cgroupDirectories,
  cgroupLayout,
  cgroupProcesses,
  freezeCgroup,
  isFrozen,
  oomKills,
  removeCgroup,
} from './cgroup.ts'
export { claim, isClaimed, readClaim } from './claim.ts'
export { cleanProcess } from './clean-state.ts'
export { type DataPlaces, extentsWithHoles, SMALLEST_SPARSE, sparseExtents } from './data-extents.ts'
export { type DirectoryLevel, type DirectoryStack, openDirectories } from './directory-stack.ts'
export {
  changedAt,
  type EntryStat,
  type FileIdentity,
  IDENTITY_WORDS,
  isSameFile,
  openEntry,
  statDescriptor,
  statEntry,
} from './entry-stat.ts'
export { mayMount, probeMounts, type TrialImage } from './features.ts'
export { lchown, mknod, O_PATH, syncfs, type Time, utimensat } from './kernel/syscalls.ts'
export { linkTarget } from './link-target.ts'
export { bindMountAt, mountErofs, mountTmpfs, unmount } from './mount.ts'
export { isMounted, type MountInfo, mountInfo } from './mount-info.ts'
export { mountOverlay } from './mount-overlay.ts'
export { createNetworkNamespace, deleteNetworkNamespace } from './netns.ts'
export { oncePerBoot } from './once-per-boot.ts'
export type { OverlayOptions } from './overlay-options.ts'
export type { PacketSocket } from './packet-socket.ts'
export { findProgram, type ProgramResult, runProgram, sendSignal, signalNumber } from './process.ts'
export {
  bootId,
  isAlive,
  isVisible,
  lifeOf,
  type ProcessIdentity,
  processIdentity,
  thisProcess,
} from './process-identity.ts'
export { processSockets } from './process-sockets.ts'
export { rawTerminal } from './raw-terminal.ts'
export { resolveInside } from './resolve-inside.ts'
export { connectPackets } from './seqpacket.ts'
export { setTerminalSize } from './terminal-size.ts'
export { treeSize } from './tree-size.ts'
export { type WalkedFile, walkDirectory } from './walk-directory.ts'
export { hasXattrs, readXattr, readXattrs, writeXattr } from './xattr.ts'
