/** The form of docker's seccomp profiles (also accepted by podman); a user's file has the same one. */
export interface SeccompProfile {
  defaultAction: string
  defaultErrnoRet?: number
  /** Native architecture -> the ones it also runs. */
  archMap?: { architecture: string; subArchitectures?: string[] | null }[]
  /** Fixed list of a profile without `archMap`. */
  architectures?: string[]
  flags?: string[]
  syscalls?: SeccompRule[]
}

export interface SeccompRule {
  names?: string[]
  /** Old profiles name one call. */
  name?: string
  action: string
  errnoRet?: number
  args?: SeccompArgument[] | null
  comment?: string
  includes?: SeccompCondition
  excludes?: SeccompCondition
}

interface SeccompArgument {
  index: number
  value: number
  valueTwo?: number
  op: string
}

export interface SeccompCondition {
  /** Go's architecture names: amd64, arm64 … */
  arches?: string[]
  caps?: string[]
  /** `4.8` */
  minKernel?: string
}

/** `linux.seccomp` of the runtime specification (config-linux.md#seccomp). */
export interface SeccompFilter {
  defaultAction: string
  defaultErrnoRet?: number
  architectures: string[]
  flags?: string[]
  syscalls: { names: string[]; action: string; errnoRet?: number; args?: SeccompArgument[] }[]
}
