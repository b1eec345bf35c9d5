/**
 * copy: files of a tree as the entries of a layer. Promises: BuildKit's rules of what goes where and under which owner and
 * mode; entries come in one pass and are never kept as files; archives are judged like layers. Does not: write layers.
 */
export { ContentHasher, contentDigest } from './content-digest.ts'
export type { DraftEntry } from './draft-entry.ts'
export { inlineFile, plainFile } from './inline-file.ts'
export { createLayerDraft } from './layer-draft.ts'
export { type Owner, resolveOwner } from './owner.ts'
export { type PlaceOptions, place, prepareDestination } from './place.ts'
export { firstItem, hasOneItem, type SelectedItem, type Selection, selectSources } from './selection.ts'
export { isArchive, unpack } from './unpack.ts'
