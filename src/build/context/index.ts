/**
 * context: files to copy from, wherever they are. Promises: nothing outside a tree is read, whatever links it contains and
 * even if parts of it are swapped meanwhile; what .dockerignore hides is invisible. Does not: know instructions or stages.
 */
export { baseName, cleanPath, fromText, joinPath, parentOf, toBytes, toText } from './byte-path.ts'
export { fileDigestsSize, pruneFileDigests } from './file-digests.ts'
export {
  type ContextInput,
  closeTree,
  type DockerfileInput,
  mountTar,
  type OpenContext,
  openContext,
  openNamedDirectory,
} from './open-context.ts'
export { compilePattern } from './path-pattern.ts'
export { createPatternSet, type MatchState, type PatternSet } from './pattern-set.ts'
export { openSourceTree, type SourceTree, shown } from './source-tree.ts'
export type { TreeEntry } from './tree-entry.ts'
