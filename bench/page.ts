import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'

export const PAGE = resolve(import.meta.dirname, '../docs/performance.md')

/** Parts of the page that a run writes; each lies between two comments. */
export type Part = 'tables' | 'growth'

/** Writes one part of docs/performance.md, all at once or not at all. */
export function writePart(part: Part, text: string): void {
  const page = withPart(readFileSync(PAGE, 'utf8'), part, text)
  writeFileSync(`${PAGE}.new`, page)
  renameSync(`${PAGE}.new`, PAGE)
}

/** The page with one part replaced. Throws where the page does not have its two comments, in order, once. */
export function withPart(page: string, part: Part, text: string): string {
  const [begin, end] = [`<!-- bench:${part}:begin -->`, `<!-- bench:${part}:end -->`]
  const [before, rest, tooMuch] = page.split(begin)
  const [old, after, more] = (rest ?? '').split(end)
  if (before === undefined || old === undefined || after === undefined || tooMuch !== undefined || more !== undefined)
    throw new Error(`${PAGE} must have ${begin} and ${end} once, in this order`)
  return `${before}${begin}\n\n${text.trim()}\n\n${end}${after}`
}
