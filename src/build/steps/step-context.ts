import type { Progress } from '#base'
import type { BuildSession } from '../session/index.ts'

/** A secret that `RUN --mount=type=secret` may ask for. Read when the first step needs it, and kept in memory only. */
export interface BuildSecret {
  id: string
  read(): Promise<Uint8Array>
}

/** What the steps of a build share beside their nodes: the machine, and what is in no cache key. */
export interface StepContext {
  session: BuildSession
  /** `NAME:ADDRESS`, for /etc/hosts. Only the names count for the cache. */
  hosts: readonly string[]
  secrets: readonly BuildSecret[]
  /** Proxy settings given without an ARG: `NAME=VALUE`. */
  proxies: readonly string[]
  /** Bytes of /dev/shm. */
  shmSize: number | undefined
  /** Seconds since 1970, from SOURCE_DATE_EPOCH: no time of a layer is later. */
  epoch: number | undefined
  progress: Progress
  signal: AbortSignal
}
