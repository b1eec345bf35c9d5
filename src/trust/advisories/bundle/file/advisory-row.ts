import type { Advisory, FixState, RangeEvent, Severity, VersionRange } from '../../advisory.ts'
import { SEVERITIES } from '../../advisory.ts'
import { canonicalName } from './canonical-name.ts'

/** What an advisory says, as the table has it, without the vulnerability that it says so of. */
export interface Saying {
  readonly ecosystem: string
  readonly name: string
  readonly source: string
  readonly body: string
}

/** Members in one order, so that the same advisory gives the same row. */
export function sayingOf(advisory: Advisory): Saying {
  const { ecosystem, source, aliases, ranges, versions, state, severity } = advisory
  const { summary, url, published, modified, remark } = advisory
  const name = canonicalName(ecosystem, advisory.name)
  const written = name === advisory.name ? undefined : advisory.name
  const rating = severity && {
    level: severity.level,
    by: severity.by,
    score: severity.score,
    vector: severity.vector,
  }
  const body = JSON.stringify({
    ...{ name: written, aliases, ranges, versions, state, severity: rating },
    ...{ summary, url, published, modified, remark },
  })
  return { ecosystem, name, source, body }
}

/** A vulnerability of a row, with what is known of it besides. */
export interface RowId {
  readonly id: string
  readonly exploited?: true
  readonly probability?: number
}

/** A row as it was read, with values of any type. */
type Row = Readonly<Record<'source' | 'body' | 'ids', unknown>>

/** Undefined for a row that says something else than advisories: a file may come from anywhere. */
export function advisoriesOf(ecosystem: string, name: string, { source, body, ids }: Row): Advisory[] | undefined {
  const said = parsed(body)
  const entries = parsed(ids)
  if (!isObject(said) || !Array.isArray(entries) || typeof source !== 'string') return undefined
  const { aliases, ranges, versions, state, severity } = said
  if (!areTexts(aliases) || !areRanges(ranges) || !isState(state) || !(versions === undefined || areTexts(versions)))
    return undefined
  if (!(severity === undefined || isRating(severity)) || !entries.every(isRowId)) return undefined
  const texts = TEXTS.map((member) => [member, said[member]] as const).filter(([, text]) => text !== undefined)
  if (!texts.every(([, text]) => typeof text === 'string')) return undefined
  return entries.map(({ id, exploited, probability }) => ({
    ...{ id, aliases, ecosystem, name, ranges, state, source },
    ...(versions && { versions }),
    ...(severity && { severity }),
    ...(exploited && { exploited }),
    ...(probability !== undefined && { exploitProbability: probability }),
    ...Object.fromEntries(texts),
  }))
}

/** `name` only where it is written otherwise than the table has it. */
const TEXTS = ['name', 'summary', 'url', 'published', 'modified', 'remark'] as const

type Said = Readonly<Record<string, unknown>>

function parsed(text: unknown): unknown {
  try {
    return typeof text === 'string' ? JSON.parse(text) : undefined
  } catch {
    return undefined
  }
}

function isObject(value: unknown): value is Said {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function areTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string')
}

function areRanges(value: unknown): value is VersionRange[] {
  return (
    Array.isArray(value) &&
    value.every((one) => isObject(one) && Array.isArray(one['events']) && one['events'].every(isEvent))
  )
}

const EVENTS = ['introduced', 'fixed', 'lastAffected', 'limit']

function isEvent(value: unknown): value is RangeEvent {
  if (!isObject(value)) return false
  const [[name, version] = [], ...others] = Object.entries(value)
  return others.length === 0 && EVENTS.includes(name ?? '') && typeof version === 'string'
}

function isRowId(value: unknown): value is RowId {
  if (!isObject(value)) return false
  const { id, exploited, probability } = value
  const isProbability =
    probability === undefined || (typeof probability === 'number' && probability >= 0 && probability <= 1)
  return typeof id === 'string' && (exploited === undefined || exploited === true) && isProbability
}

const STATES: readonly unknown[] = [
  'fixed',
  'not fixed',
  'will not fix',
  'deferred',
  'under investigation',
] satisfies FixState[]

function isState(value: unknown): value is FixState {
  return STATES.includes(value)
}

function isRating(value: unknown): value is NonNullable<Advisory['severity']> {
  if (!isObject(value)) return false
  const { level, by, score, vector } = value
  const isScore = score === undefined || (typeof score === 'number' && score >= 0 && score <= 10)
  const isVector = vector === undefined || typeof vector === 'string'
  return SEVERITIES.includes(level as Severity) && typeof by === 'string' && isScore && isVector
}
