/**
 * state: a container's files, its locks, and its actual state. What operations stand on is opened
 * here (`Machinery`).
 */

export { announce } from './announce.ts'
export { frozen } from './freezer.ts'
export {
  type ContainerPaths,
  lockContainer,
  type Machinery,
  type MachineryOptions,
  newId,
  openMachinery,
  pathsOf,
} from './machinery.ts'
export { removeUnused } from './remove-unused.ts'
export {
  findContainer,
  goesAway,
  isHalfMade,
  LOST_EXIT_CODE,
  mustBeVisible,
  mustRun,
  oomFile,
  type SeenContainer,
  see,
  seeAll,
  seeContainer,
  updateState,
  wasOomKilled,
} from './state.ts'
