import { rawTerminal as makeRaw } from '#host'
import type { EngineContext } from './context.ts'

/** Gives every byte of a terminal to the process behind it, until disposed. */
export function rawTerminal(_context: EngineContext, fd: number): Disposable {
  return makeRaw(fd)
}
