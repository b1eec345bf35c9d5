import type { Severity } from '#trust/advisories'
import type { Finding } from '#trust/match'

/** Lowest score of each severity, and one that stands for it. Source: CVSS 3.1 §5; GitHub's ranges of `security-severity` are the same. */
const RANGES: readonly { severity: Severity; least: number; typical: number }[] = [
  { severity: 'critical', least: 9, typical: 9.5 },
  { severity: 'high', least: 7, typical: 8 },
  { severity: 'medium', least: 4, typical: 5.5 },
  { severity: 'low', least: 0.1, typical: 2 },
]

/**
 * A score that code hosts show as the severity of the finding: that of CVSS where it means the same. (A distribution may call
 * a vulnerability minor that has a high score in general.) Undefined where nobody rated it.
 */
export function securitySeverity({ severity, advisory }: Pick<Finding, 'severity' | 'advisory'>): string | undefined {
  const own = RANGES.find((one) => one.severity === severity)
  if (!own) return severity === 'negligible' ? '0.1' : undefined
  const score = advisory.severity?.score ?? 0
  const meant = score > 10 ? undefined : RANGES.find(({ least }) => score >= least)
  return (meant === own ? score : own.typical).toFixed(1)
}
