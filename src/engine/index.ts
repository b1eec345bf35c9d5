/**
 * engine: what bale does, as a library. `createEngine` gives one object with the operations by noun: images, containers,
 * networks, volumes, builds, registries, system. Promises: returns data and emits typed progress; formats nothing; opens
 * nothing before the first operation. Does not: parse command lines or HTTP, print, read the environment outside
 * context/config.ts.
 */

export type { CheckReport } from '#build'
export type {
  AttachSession,
  CreateNetworkOptions,
  DeviceRequest,
  ExecRequest,
  HostOptions,
  LogFrame,
  LogRequest,
  MountRequest,
  NetworkRequest,
  OutputFrame,
  PolicyResult,
  PortRequest,
  ProcessOptions,
  ProcessTable,
  PublishedPort,
  RemoveOptions,
  Resources,
  RestartOptions,
  RestartPolicy,
  RunningExec,
  StopOptions,
  TerminalSize,
  Ulimit,
  Usage,
} from '#container'
export type { EventMessage, FilterPair } from '#docker'
export type {
  ContainerInspect,
  ContainerRow,
  HistoryRow,
  ImageInspect,
  ImageRow,
  ImageSummary,
  NetworkInspect,
  VolumeInspect,
} from '#docker/views'
export {
  openOutput,
  pourInto,
  type ResultFile,
  readBytes,
  readBytesSync,
  readTextSync,
  startResultFile,
} from '#host/file'
export type { Finding, RemovalRecord } from '#store'
export type { ApiAnswer, ApiRequest, DevicePrompt, FirstAdministrator, RegistryApi } from '#transport'
export type { AdvisoryPlace, BuiltAdvisories, BundleInfo, InstalledBundle } from '#trust/advisories/bundle'
export type { Finding as ScanFinding, ScanResult } from '#trust/match'
export type { AttachmentNode, AttachmentTree } from '#trust/signature'
export type { AttestationOptions } from './attest-build.ts'
export type { BuildImageOptions, BuildOutput, BuildSecretSource, CheckBuildOptions } from './build.ts'
export type { BuildOperations } from './build-operations.ts'
export type { CommitOptions } from './commit.ts'
export type { ContainerLogs, LogsOptions } from './container-logs.ts'
export type { ContainerOperations } from './container-operations.ts'
export { type ConfigOverrides, type EngineConfig, machinePlatform, readConfig } from './context/config.ts'
export type { EngineOptions } from './context/context.ts'
export type { CopyOptions } from './copy-tar.ts'
export type { ContainerRequest } from './create.ts'
export { createEngine, type Engine } from './create-engine.ts'
export type { SystemUsage } from './disk-usage.ts'
export type { EventsOptions } from './events.ts'
export type { ImageOperations } from './image-operations.ts'
export type { ImportOptions } from './import-image.ts'
export type { SecurityInformation, SystemInformation, VersionInformation } from './information.ts'
export type { ListContainersOptions } from './list-containers.ts'
export type { ListImagesOptions } from './list-images.ts'
export type { LoadedImage } from './load-images.ts'
export type { DeviceLoginOptions, Login, LoginOptions, Logout } from './login.ts'
export type { InspectedManifest } from './manifest-inspect.ts'
export type { ListOptions, PlatformChange } from './manifest-list.ts'
export type { PushListOptions } from './manifest-push.ts'
export type { NetworkOperations } from './network-operations.ts'
export type { ConnectNetworkOptions } from './networks.ts'
export type { ImagesOutput, OutputFile } from './open-images-target.ts'
export type { Pruned, PruneOptions } from './prune.ts'
export type { PrunedPart, PruneSystemOptions } from './prune-system.ts'
export type { PulledImage, PullOptions } from './pull.ts'
export type { PushedImage, PushOptions } from './push.ts'
export type { RegistryOperations } from './registry-operations.ts'
export type { RunningContainer, RunOptions } from './run.ts'
export type { SystemOperations } from './system-operations.ts'
export type { BuildAdvisoriesOptions, PullAdvisoriesOptions, TakeAdvisoriesOptions } from './trust/advisory-bundle.ts'
export type { GenerateKeysOptions } from './trust/generate-keys.ts'
export type { ScanFormat } from './trust/report-scan.ts'
export type { ImageSbom, SbomOptions } from './trust/sbom.ts'
export type { FindingFilter, ScannedImage, ScanOptions } from './trust/scan.ts'
export type { AttestOptions, KeyOptions, SignedImage, SignImageOptions } from './trust/sign.ts'
export type { VerifiedImage, VerifyImageOptions } from './trust/verify.ts'
export type { PathOrigin, WhyOptions } from './trust/why.ts'
export type { TrustOperations } from './trust-operations.ts'
export type { VolumeOperations } from './volume-operations.ts'
export type { CreateVolumeRequest } from './volumes.ts'
