/** What the registry and its processes send to each other. */
import type { Descriptor } from '#spec'

/** To a process, once: for a scan as JSON, to match the path of the bundle. */
export const BEGIN = 'b'
/** In place of an answer, as JSON. */
export const FAILURE = 'f'

/** To a scan, once, after its beginning. One answer follows each request of the scan. */
export const MANIFEST = 'm'
/** From a scan: wants a blob from some byte on, as JSON; wants the next bytes of it. */
export const OPEN = 'o'
export const NEXT = 'n'
/** To a scan: bytes of a blob. */
export const CHUNK = 'c'
/** From a scan: a part of the inventory's JSON. */
export const PART = 'p'
/** The end of a blob, or of the inventory. */
export const END = 'e'

/** To the process that matches: the day, and an inventory as it is stored. */
export const DAY = 'd'
export const MATCH = 'i'
/** From the process that matches: the keys of the findings, and after them the result as it is stored. */
export const KEYS = 'k'
/** From the process that matches; after its beginning, what the bundle is, as JSON. */
export const RESULT = 'r'

/** Bytes of one message of a scan at most, but for a manifest. */
export const FRAME = 1024 * 1024

export interface Begin extends Pick<Descriptor, 'mediaType' | 'digest' | 'size'> {
  /** A directory of its own. */
  temporary: string
}

export interface Open extends Pick<Descriptor, 'digest'> {
  offset: number
}

/** A bundle that is open. */
export interface OpenedBundle {
  /** Digest of its content. */
  version: string
  /** RFC 3339, in UTC. */
  created: string
}
