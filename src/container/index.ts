/**
 * container: containers of this machine. Runtime configuration, runc and crun, the conmon monitor, networks by netavark,
 * volumes, logs, exec, cp, commit. Promises: a container outlives every bale process; its state is read from the
 * machine, not remembered; what a failed start made is undone. Does not: fetch images, parse command lines, print.
 */
export type {
  ContainerImage,
  ContainerOptions,
  DeviceRequest,
  HostOptions,
  MountRequest,
  PortRequest,
  ProcessOptions,
  Resources,
  RestartPolicy,
  Ulimit,
} from './options.ts'
export { createStepRunner, type StepRunner, type StepRunnerOptions } from './process/create-step-runner.ts'
export type { RunStep, RunStepOptions, StepMount, StepResult } from './run-step.ts'
