import type { ErrorCode, NextStep } from '#base'
import type { Configuration } from '../configuration/index.ts'
import type { Together } from '../operation/index.ts'

/** What a group tells one of its workers. */
export type ToWorker =
  | ({ kind: 'begin' } & Task)
  /** With a connection. */
  | { kind: 'connection'; id: number }
  | { kind: 'reload'; id: number }
  | { kind: 'measure'; id: number }
  | { kind: 'stop' }

/** What a worker is to serve. */
export interface Task {
  configuration: Configuration
  environment: Readonly<Record<string, string | undefined>>
  /** Where clients find the group. */
  address: string
  /** One of them collects, and does what else one of them does for all. */
  isFirst: boolean
  /** Whether there is a debug log. */
  logs: boolean
  holder: string
  /** The holder of a killed worker that this one replaces. */
  former?: string
}

/** What a worker tells its group. */
export type FromWorker =
  /** `certified`: whether it has a certificate to show, or needs none. */
  | { kind: 'ready'; hasUsers: boolean; reloads: boolean; certified: boolean }
  /** It has a certificate by now. */
  | { kind: 'certified' }
  /** It could not begin. */
  | { kind: 'failed'; failure: Failure }
  /** A connection has come, and the next one may. */
  | { kind: 'taken'; id: number }
  /** A connection has ended. */
  | { kind: 'closed'; id: number }
  | { kind: 'reloaded'; id: number }
  | { kind: 'measured'; id: number; families: MeasuredFamily[] }
  | { kind: 'report'; failure: Failure; request: string }
  | { kind: 'debug'; room: string; message: string; details: Record<string, unknown> | undefined }

/** A metric with all of its samples, as text. */
export interface MeasuredFamily {
  name: string
  together: Together
  /** When it was last set: of values of which the latest counts. */
  setAt?: number | undefined
  text: string
}

/** An error on its way from one process to another. */
export interface Failure {
  message: string
  code?: ErrorCode
  hint?: string | undefined
  next?: NextStep | undefined
}
