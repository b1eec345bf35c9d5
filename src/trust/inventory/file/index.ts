/**
 * trust/inventory/file: where one path of an image comes from. Promises: layers are stacked as everywhere; links lead
 * nowhere but inside the image. Does not: read the file.
 */
export { type FoundFile, findFile } from './find-file.ts'
