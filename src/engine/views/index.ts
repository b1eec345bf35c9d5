/**
 * engine/views: images and containers in the shape of docker's API. Promises: pure functions; members, order and
 * values as docker writes them, with the differences named where they are. Does not: read the store, format for people.
 */
export type { ContainerInspect } from './container-inspect.ts'
export { goTime, goTimeOf, unixSeconds, ZERO_TIME, ZERO_TIME_SECONDS } from './go-time.ts'
export { type HistoryRow, imageHistory } from './image-history.ts'
export { familiarNames, type ImageInspect, type InspectedConfig, imageInspect } from './image-inspect.ts'
export {
  type ImageFilters,
  type ImageRow,
  type ImageSummary,
  imageRows,
  imageSummaries,
  readImageFilters,
} from './image-list.ts'
