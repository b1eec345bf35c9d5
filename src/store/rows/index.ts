/**
 * store/rows: the database, its tables and where their files are. Promises: a row counts only while its file exists; reads
 * and writes of one row each, which callers join in transactions. Does not: write or remove files of content, or decide
 * what goes.
 */
export { findBlob } from './blob-rows.ts'
export { type Database, openDatabase } from './database.ts'
export {
  type DocumentRow,
  deleteManifest,
  descriptorOf,
  findDocument,
  insertDocument,
  insertEdge,
  isThere,
  isWhole,
} from './document-rows.ts'
export {
  type ImageReference,
  imagesNeeding,
  indexesWith,
  manifestsOf,
  referencesOf,
  referencesTo,
  shownImage,
} from './image-references.ts'
export type { LayerFormatName, LayerRecord, WrittenLayer } from './layer-record.ts'
export { findLayer, listLayers } from './layer-rows.ts'
export { databasePath, prepareLayout } from './layout.ts'
export {
  allNames,
  deleteName,
  deleteRepoDigest,
  isOfRepository,
  type Repository,
  targetOfName,
  writeName,
  writeRepoDigest,
} from './name-rows.ts'
export { deletePins, insertPin, isHeld, type Pin, type PinKind } from './pins.ts'
export type { Rows } from './rows.ts'
