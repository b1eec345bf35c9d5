import type { OperationOptions } from '#base'

export interface CheckOptions extends OperationOptions {
  /** Removes what is damaged (a pull or build makes it again) and adopts or removes what has no row. */
  repair?: boolean
  /** Only whether files exist with the right size, without reading them. */
  quick?: boolean
}

export interface Finding {
  kind: 'layer' | 'blob' | 'document' | 'leftover' | 'database'
  /** Digest or path. */
  subject: string
  problem: string
  /** Names or IDs of the images that need it. */
  images: string[]
  repaired: boolean
}
