import { BaleError, isBaleError } from '#base'
import { isKey } from './object-key.ts'
import type { Progress } from './object-store.ts'

/** What S3 knows of an object that is not complete yet. */
export interface S3State {
  /** Bytes of each part, whatever the settings say meanwhile: all parts but the last have the same size. */
  partSize: number
  uploadId?: string
  /** ETags of the parts, in order. */
  etags: readonly string[]
  /** What is less than a part, as an object of its own. */
  tail?: { key: string; size: number }
  /** Keys of tails that are no longer needed once this state is recorded. */
  replaced: readonly string[]
}

/** Begins the text, so that a later bale knows what it reads. */
const VERSION = 1

export function encodeState(state: S3State): string {
  return JSON.stringify({ version: VERSION, ...state })
}

/** What is recorded of an object. STORE_DAMAGED when it does not add up. */
export function recordedState(progress: Progress, partSize: number): S3State {
  const state = progress.state === undefined ? { partSize, etags: [], replaced: [] } : parseState(progress.state)
  const bytes = state.etags.length * state.partSize + (state.tail?.size ?? 0)
  if (bytes === progress.offset) return state
  throw lostBytes(bytes, progress.offset)
}

export function lostBytes(there: number, recorded: number): BaleError {
  return new BaleError('STORE_DAMAGED', `an upload has ${there} bytes where ${recorded} were recorded`)
}

/** STORE_DAMAGED for what `encodeState` did not write, STORE_VERSION for what a newer one wrote. */
export function parseState(text: string): S3State {
  try {
    const { version, ...state } = JSON.parse(text) as S3State & { version: unknown }
    if (typeof version === 'number' && version > VERSION) {
      throw new BaleError('STORE_VERSION', 'an upload was begun by a newer bale', { next: { act: 'use-newer-bale' } })
    }
    if (version === VERSION && isState(state)) return state
  } catch (error) {
    if (isBaleError(error)) throw error
  }
  throw new BaleError('STORE_DAMAGED', 'what is recorded of an upload cannot be read')
}

function isState({ partSize, uploadId, etags, tail, replaced }: S3State): boolean {
  const hasUpload = typeof uploadId === 'string' && uploadId !== ''
  return (
    isCount(partSize) &&
    Array.isArray(etags) &&
    etags.every((etag) => typeof etag === 'string') &&
    (hasUpload || (uploadId === undefined && etags.length === 0)) &&
    (tail === undefined || (isKey(tail.key) && isCount(tail.size))) &&
    Array.isArray(replaced) &&
    replaced.every(isKey)
  )
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value > 0
}
