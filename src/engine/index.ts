/**
 * engine: what bale does, as functions. One file per operation; `createEngine` wires the rooms below. Promises: returns
 * data and emits typed progress; formats nothing. Does not: parse command lines or HTTP, print, read the environment
 * outside config.ts.
 */

export type {
  AttachSession,
  DeviceRequest,
  ExecRequest,
  HostOptions,
  LogFrame,
  LogRequest,
  MountRequest,
  OutputFrame,
  PortRequest,
  ProcessOptions,
  ProcessTable,
  PublishedPort,
  Resources,
  RestartPolicy,
  RunningExec,
  TerminalSize,
  Ulimit,
  Usage,
} from '#container'
export type { FilterPair } from '#docker'
export {
  openOutput,
  pourInto,
  type ResultFile,
  readBytes,
  readBytesSync,
  readTextSync,
  startResultFile,
} from '#host/file'
export type { BuildImageOptions, BuildOutput, BuildSecretSource, OutputFile } from './build.ts'
export type { CommitOptions } from './commit.ts'
export { type ConfigOverrides, type EngineConfig, machinePlatform, readConfig } from './config.ts'
export type { EngineContext, EngineOptions } from './context.ts'
export type { ContainerRequest } from './create.ts'
export { createEngine, type Engine } from './create-engine.ts'
export type { ContainerRow, ListContainersOptions } from './list-containers.ts'
export type { CreateNetworkRequest, NetworkInspect } from './networks.ts'
export type { RunningContainer, RunOptions } from './run.ts'
export type { SystemUsage } from './system.ts'
export type { ContainerInspect } from './views/container-inspect.ts'
export type { HistoryRow } from './views/image-history.ts'
export type { ImageInspect } from './views/image-inspect.ts'
export type { ImageRow, ImageSummary } from './views/image-list.ts'
export type { VolumeInspect } from './volumes.ts'
