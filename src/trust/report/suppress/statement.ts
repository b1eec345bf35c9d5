import { printable } from '#base'
import type { Products } from './products.ts'

/** What is said of products and a vulnerability. `open`: affected, or nobody knows yet. */
export type Verdict = 'not affected' | 'fixed' | 'open'

/** One statement of a VEX document. */
export interface VexStatement {
  /** Names of the vulnerability. */
  readonly ids: readonly string[]
  readonly verdict: Verdict
  readonly products: Products
  /** Why, in words and as the format has it: `vulnerable_code_not_present`. */
  readonly reason?: string
  readonly author?: string
  /** Milliseconds since 1970: a later statement replaces an earlier one. */
  readonly time: number
}

type MaybeText = string | null | undefined

/** The first of these times that is one; the beginning of time without. */
export function timeOf(...texts: readonly MaybeText[]): number {
  const times = texts.map((text) => Date.parse(text ?? ''))
  return times.find((time) => !Number.isNaN(time)) ?? 0
}

/** Sentences from outside as one, on one line. */
export function reasonOf(...texts: readonly MaybeText[]): string | undefined {
  const given = texts.map((text) => (text ?? '').slice(0, 1000).trim()).filter((text) => text !== '')
  return given.length === 0 ? undefined : printable(given.join('. ').replaceAll(/\s+/g, ' '), 1000)
}

/** Those that are there. */
export function given(texts: readonly MaybeText[]): string[] {
  return texts.filter((text) => typeof text === 'string')
}
