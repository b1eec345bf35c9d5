import type { Digest } from './digest.ts'
import type { Platform } from './platform.ts'

/** Source: image-spec descriptor.md. */
export interface Descriptor {
  mediaType: string
  digest: Digest
  /** Bytes of the content. */
  size: number
  platform?: Platform
  annotations?: Record<string, string>
  artifactType?: string
  urls?: string[]
  /** The content itself, base64. */
  data?: string
}

/** Source: image-spec manifest.md; docker's schema 2 has the same members that bale uses. */
export interface ImageManifest {
  schemaVersion: 2
  mediaType: string
  artifactType?: string
  config: Descriptor
  layers: Descriptor[]
  subject?: Descriptor
  annotations?: Record<string, string>
}

/** Source: image-spec image-index.md; docker's manifest list likewise. */
export interface ImageIndex {
  schemaVersion: 2
  mediaType: string
  artifactType?: string
  manifests: Descriptor[]
  /** Why entries of the document are not among `manifests`, a text for each: they name nothing that can be fetched. */
  unreadable?: string[]
  subject?: Descriptor
  annotations?: Record<string, string>
}

/** Durations are nanoseconds, as in docker's JSON. */
export interface Healthcheck {
  /** `['NONE']`, `['CMD', arg…]` or `['CMD-SHELL', command]`. */
  Test?: string[]
  Interval?: number
  Timeout?: number
  StartPeriod?: number
  StartInterval?: number
  Retries?: number
}

/** The `config` object of an image config. Source: image-spec config.md; members below the line are docker's. */
export interface ContainerConfig {
  User?: string
  /** Keys are `80/tcp`. */
  ExposedPorts?: Record<string, Record<string, never>>
  Env?: string[]
  Entrypoint?: string[]
  Cmd?: string[]
  Volumes?: Record<string, Record<string, never>>
  WorkingDir?: string
  Labels?: Record<string, string>
  StopSignal?: string
  // docker's
  Healthcheck?: Healthcheck
  Shell?: string[]
  OnBuild?: string[]
  ArgsEscaped?: boolean
}

/** One step that made an image. OCI image specification, config.md, "history". */
export interface History {
  created?: string
  created_by?: string
  author?: string
  comment?: string
  empty_layer?: boolean
}

/** Source: image-spec config.md. Unknown members survive in the raw bytes only. */
export interface ImageConfig {
  architecture: string
  os: string
  variant?: string
  'os.version'?: string
  'os.features'?: string[]
  created?: string
  author?: string
  config?: ContainerConfig
  rootfs: { type: 'layers'; diff_ids: Digest[] }
  history?: History[]
  // docker's, read for `image inspect`
  docker_version?: string
  container?: string
  comment?: string
}
