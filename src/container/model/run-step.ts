import type { OperationOptions } from '#base'

export interface RunStepOptions extends OperationOptions {
  /** A mounted, writable root file system: absolute, no symlink. */
  rootfsPath: string
  args: string[]
  /** `KEY=VALUE` */
  env: string[]
  cwd: string
  /** As in an image config: `uid[:gid]`, `name[:group]`, empty for root. Looked up in the rootfs. */
  user?: string
  /** Additional mounts, in order, on top of the standard ones. */
  additionalMounts?: StepMount[]
  network: 'bridge' | 'none' | 'host'
  /** Lines for /etc/hosts: `NAME:ADDRESS`. */
  hosts?: string[]
  hostname?: string
  /** `security.insecure` of a build: all capabilities of this process and no seccomp filter. */
  insecure?: boolean
  /** Bytes of /dev/shm. */
  shmSize?: number
  onOutput?: (stream: 'stdout' | 'stderr', bytes: Uint8Array) => void
}

export interface StepMount {
  /** `bind` or `tmpfs`. */
  type: 'bind' | 'tmpfs'
  /** Absolute path on the host; undefined for tmpfs. */
  source?: string
  target: string
  readOnly?: boolean
  /** Additional mount options, e.g. `size=64m`, `mode=1777`. */
  options?: string[]
}

/** `exitCode` is the program's own; 126 or 127 with `failure` set when it could not be run at all. */
export interface StepResult {
  exitCode: number
  /** Why the program could not be started: the runtime's message. */
  failure?: string
}

export type RunStep = (options: RunStepOptions) => Promise<StepResult>
