/** What the registry and the process that matches say to each other. */

/** To the process, once: the path of the bundle. It answers with what that is, as JSON. */
export const BEGIN = 'b'
/** To the process: the day, and an inventory as it is stored. It answers with the result as it is stored, behind the keys of its findings. */
export const DAY = 'd'
export const MATCH = 'm'
export const KEYS = 'k'
export const RESULT = 'r'
/** In place of an answer, as JSON. */
export const FAILURE = 'f'

/** A bundle that is open. */
export interface OpenedBundle {
  /** Digest of its content. */
  version: string
  /** RFC 3339, in UTC. */
  created: string
}
