import type { Analyser } from '../analyser.ts'
import type { FoundInFile } from '../model.ts'
import type { OwnedPaths } from './owned-paths.ts'

/** What one file showed. */
export interface AnalysedFile {
  readonly analyser: Analyser
  readonly found: FoundInFile
  readonly owned?: OwnedPaths
}
