export type { RandomSink, Sink } from './layer-writer.ts'
