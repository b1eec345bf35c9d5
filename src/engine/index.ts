/**
 * engine: what bale does, as functions. One file per operation; `createEngine` wires the rooms below. Promises: returns
 * data and emits typed progress; formats nothing. Does not: parse command lines or HTTP, print, read the environment
 * outside config.ts.
 */

export type { DiskUsage } from '#store'
export { type ConfigOverrides, type EngineConfig, machinePlatform, readConfig } from './config.ts'
export type { EngineContext, EngineOptions } from './context.ts'
export { createEngine, type Engine } from './create-engine.ts'
export type { HistoryRow } from './views/image-history.ts'
export type { ImageInspect } from './views/image-inspect.ts'
export type { ImageRow, ImageSummary } from './views/image-list.ts'
