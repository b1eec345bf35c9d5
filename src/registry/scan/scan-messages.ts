/** What the registry and the process of a scan say to each other. One answer follows each request of the process. */
import type { Descriptor } from '#spec'

/** To the process, once, as JSON; the manifest follows. */
export const BEGIN = 'b'
export const MANIFEST = 'm'
/** From the process: a blob from some byte on, as JSON; the next bytes of it. */
export const OPEN = 'o'
export const NEXT = 'n'
/** To the process: bytes of a blob. */
export const CHUNK = 'c'
/** From the process: a part of the inventory's JSON. */
export const PART = 'p'
/** The end of a blob, or of the inventory; or what came in its place, as JSON. */
export const END = 'e'
export const FAILURE = 'f'

/** Bytes of one message at most, but for a manifest. */
export const FRAME = 1024 * 1024

export interface Begin extends Pick<Descriptor, 'mediaType' | 'digest' | 'size'> {
  /** A directory of its own. */
  temporary: string
}

export interface Open extends Pick<Descriptor, 'digest'> {
  offset: number
}
