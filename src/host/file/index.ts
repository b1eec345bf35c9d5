/**
 * host/file: files and directories that survive crashes. Promises: what has its final name is complete; nothing native is
 * loaded at import (locks load it when first taken). Does not: know what the bytes mean.
 */
export { mkdirWithMode, mkdirWithModeSync, writeFileWithMode } from './exact-mode.ts'
export { lendFile } from './lend-file.ts'
export { acquireLock } from './lock.ts'
export { makeDirectory } from './make-directory.ts'
export { makeSubdirectory } from './make-subdirectory.ts'
export { namesIn } from './names-in.ts'
export { asNoSpace, withNoSpace } from './no-space.ts'
export { type OutputFile, openOutput, pourInto } from './output-file.ts'
export { noOutputDirectory, outputPlace } from './output-place.ts'
export { fsyncDirectory, publishDirectory, publishFile } from './publish.ts'
export { readBytes, readBytesSync, readText, readTextSync } from './read-bytes.ts'
export { removeTree } from './remove-tree.ts'
export { keepReserve, spaceAt } from './reserve.ts'
export { type ResultFile, startResultFile } from './result-file.ts'
export { siblingModule } from './sibling-module.ts'
export { streamFile } from './stream-file.ts'
export { temporaryDirectory } from './temporary-directory.ts'
export { threadProgram } from './thread-program.ts'
export { writeData } from './write-data.ts'
export { writeFileAtomic } from './write-file-atomic.ts'
