import type { Severity } from '../advisory.ts'

/** What a CVSS vector means. */
export interface CvssScore {
  readonly level: Severity
  /** 0 to 10, of the base metrics. */
  readonly score: number
  readonly vector: string
}

/** Undefined for a text that is no whole vector of CVSS 2.0, 3.0, 3.1 or 4.0. */
export type ScoreVector = (vector: string) => CvssScore | undefined

const VECTOR = /^(?:CVSS:(?:3\.[01]|4\.0)\/)?[A-Za-z]{1,4}:[A-Za-z]{1,9}(?:\/[A-Za-z]{1,4}:[A-Za-z]{1,9}){5,40}$/
/** Few vectors are in most advisories, and a score of CVSS 4 takes 250 µs. */
const REMEMBERED = 20_000

/** Loads the calculator; it remembers what it has calculated. */
export async function loadCvss(): Promise<ScoreVector> {
  const { fromVector } = (await import('ae-cvss-calculator')).default
  const known = new Map<string, CvssScore | undefined>()
  return (vector) => {
    if (vector.length > 400 || !VECTOR.test(vector)) return undefined
    if (known.has(vector)) return known.get(vector)
    if (known.size >= REMEMBERED) known.clear()
    const score = scored(fromVector(vector), vector)
    known.set(vector, score)
    return score
  }
}

/** As much of the calculator's result as is used: its types say `any`. */
interface Calculated {
  isBaseFullyDefined(): boolean
  calculateScores(): { readonly base?: number }
}

function scored(calculated: Calculated | null, vector: string): CvssScore | undefined {
  if (!calculated?.isBaseFullyDefined()) return undefined
  const score = calculated.calculateScores().base
  if (typeof score !== 'number' || !(score >= 0 && score <= 10)) return undefined
  return { score, vector, level: levelOf(score, vector) }
}

/** Sources: CVSS 3.1 section 5 and CVSS 4.0 section 6, "Qualitative Severity Rating Scale"; NVD's scale for CVSS 2. */
export function levelOf(score: number, vector: string): Severity {
  if (score === 0) return 'negligible'
  if (score < 4) return 'low'
  if (score < 7) return 'medium'
  return score < 9 || !vector.startsWith('CVSS:') ? 'high' : 'critical'
}
