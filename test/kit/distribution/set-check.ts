import type { Check } from './check.ts'
import type { DataSet } from './data-set.ts'
import { Media } from './media-types.ts'

/** A set and where it goes. */
export interface SetData {
  set: DataSet
  repository: string
}

/** A row of every set that it is about. */
export interface SetCheck extends Check<SetData> {
  about(set: DataSet): boolean
}

export const everySet = (): boolean => true
export const withBlobs = ({ blobs }: DataSet): boolean => blobs.length > 0
export const withTags = ({ tags }: DataSet): boolean => tags.size > 0
export const withSubject = ({ manifests }: DataSet): boolean => manifests.some(({ subject }) => subject)

/** What clients accept when they ask for a manifest. */
export const ACCEPTING = { headers: { Accept: [Media.index, Media.manifest] } }
