/**
 * docker/views: docker's JSON shapes of images, containers, networks and volumes, the rows of its lists, and how the facts of one
 * become its view.
 * Promises: pure; members, order and empty values as Go writes them. Does not: know the store or the container room, whose
 * records satisfy the facts by their shape.
 */
export { type ContainerInspect, containerInspect } from './container-inspect.ts'
export { type ContainerRow, containerRow } from './container-list.ts'
export { DOCKER_FACTS } from './docker-facts.ts'
export { type HistoryRow, imageHistory } from './image-history.ts'
export { type ImageInspect, imageInspect } from './image-inspect.ts'
export { type ImageRow, type ImageSummary, imageRows, imageSummaries, readImageFilters } from './image-list.ts'
export {
  FIXED_NETWORKS,
  fixedNetworkInspect,
  type NetworkInspect,
  type NetworkSettings,
  networkInspect,
} from './network-inspect.ts'
export { type UsageRow, usageSummary } from './usage-summary.ts'
export { type VolumeInspect, volumeInspect } from './volume-inspect.ts'
