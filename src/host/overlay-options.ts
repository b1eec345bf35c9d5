export interface OverlayOptions {
  /** Absolute paths, uppermost first; at most 500 (the kernel's limit). */
  lowers: readonly string[]
  /** Both or neither; without them the overlay is read-only and needs two lowers. One file system, `work` empty. */
  upper?: string
  work?: string
  target: string
  /** Flags (`userxattr: true`) and values (`metacopy: 'off'`) of overlayfs. */
  options?: Readonly<Record<string, string | true>>
  readOnly?: boolean
  nosuid?: boolean
  nodev?: boolean
}
