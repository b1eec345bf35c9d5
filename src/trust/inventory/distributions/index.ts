/**
 * Analysers of what distributions put into an image: its operating system, and their packages by the databases of dpkg,
 * apk and rpm. Promises: what is damaged in part is read in part, with a gap that says so; work and memory are bounded by
 * the size of a file. Does not: find the files, follow links, or join what several files say, except `chooseSystem`.
 */
export { apk } from './apk.ts'
export { chooseSystem } from './choose-system.ts'
export { dpkg } from './dpkg.ts'
export { osRelease } from './os-release.ts'
export { rpm } from './rpm/rpm.ts'
