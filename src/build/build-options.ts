import type { OperationOptions } from '#base'
import type { Platform } from '#spec'
import type { ContextInput, DockerfileInput } from './context/index.ts'
import type { BuildSecret } from './steps/index.ts'

/** The options of a build. */
export interface BuildOptions extends OperationOptions {
  context: ContextInput
  /** `Dockerfile` of the context by default. */
  dockerfile?: DockerfileInput
  /** Stage to build; the last by default. */
  target?: string
  buildArguments?: ReadonlyMap<string, string>
  labels?: Readonly<Record<string, string>>
  /** Of the result, and of base images unless FROM specifies another; this machine's by default. */
  platform?: Platform
  /** Ask registries for newer base images, also when there is one here. */
  pull?: boolean
  /** Take nothing from the cache; results still go into it. */
  noCache?: boolean
  /** The same for single stages, by name. */
  noCacheStages?: readonly string[]
  /** What `default` of RUN --network is. */
  network?: 'bridge' | 'none' | 'host'
  /** `NAME:ADDRESS` */
  hosts?: readonly string[]
  /** `network.host`, `security.insecure`. */
  allow?: readonly string[]
  secrets?: readonly BuildSecret[]
  /** Bytes of /dev/shm in RUN. */
  shmSize?: number
  /** Additional contexts by name: a directory, `docker-image://REF`, an http(s) URL of a tar. They take precedence over stages and images. */
  buildContexts?: ReadonlyMap<string, string>
  /** Seconds since 1970 (SOURCE_DATE_EPOCH): no time in the result is later. A build argument of that name wins. */
  sourceDateEpoch?: number
  /** Steps at once; 2 by default. */
  jobs?: number
}
