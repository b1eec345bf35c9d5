/**
 * context: files to copy from, wherever they lie. Promises: nothing outside of a tree is read, whatever links lie in it and
 * whoever swaps parts of it meanwhile; what .dockerignore hides is not there. Does not: know instructions or stages.
 */
export { baseName, cleanPath, fromText, joinPath, parentOf, toBytes, toText } from './byte-path.ts'
export {
  type ContextInput,
  type DockerfileInput,
  mountTar,
  type OpenContext,
  openContext,
  openNamedDirectory,
} from './open-context.ts'
export { compilePattern } from './path-pattern.ts'
export { createPatternSet, type MatchState, type PatternSet } from './pattern-set.ts'
export { openSourceTree, type SourceTree, shown, type TreeEntry } from './source-tree.ts'
