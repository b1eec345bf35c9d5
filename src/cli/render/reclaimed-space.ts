import { humanSize } from '#docker'

/** The last line of each `prune`. */
export function reclaimedSpace(bytes: number): string {
  return `Total reclaimed space: ${humanSize(bytes)}`
}
