/** What a recovery took away. */
export interface Recovered {
  /** How many things, where they are counted. */
  removed: number
  /** Bytes on disk. */
  freed: number
}

/**
 * How a room undoes what killed processes left in it. May run at any time, concurrently with other work: what belongs to a
 * process that lives, or that cannot be judged, stays.
 */
export interface Recovery {
  /** What it takes away, for people who look. */
  readonly sweeps: string
  recover(): Promise<Recovered>
}
