/**
 * Analysers of compiled programs: what is listed inside executables and Java archives. Promises: parts of a file are read
 * and unpacked in memory only, within bounds on sizes, counts and depths, so that a hostile file becomes a gap; nothing is
 * run. Does not: find the files, or tell a library by its code when nothing in it says what it is.
 */
export { executables } from './executables.ts'
export { javaArchives } from './java-archives.ts'
