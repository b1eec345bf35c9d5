/** What a tar may cost at most. The defaults are far above real images and far below what causes problems. */
export interface TarLimits {
  /** Entries in one tar (T25). */
  entries: number
  /** Bytes of one PAX record block or GNU long name (T15). */
  headerBytes: number
  /** Segments of one sparse file (T14). */
  sparseSegments: number
  /** Size of one file as it appears, holes included (T14). */
  apparentSize: number
}

export const defaultTarLimits: Readonly<TarLimits> = Object.freeze({
  entries: 8_000_000,
  headerBytes: 1024 * 1024,
  sparseSegments: 1_000_000,
  apparentSize: 2 ** 44,
})
