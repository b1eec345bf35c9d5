import { BaleError } from '#base'
import { humanDuration } from '#docker'
import type { Digest } from '#spec'
import { SEVERITIES, type Severity } from '#trust/advisories'
import { matchesPattern } from '../pattern/index.ts'
import type { ReleaseGate } from './rules.ts'

/** A vulnerability of an image, as far as gates look at it. */
export interface GateFinding {
  id: string
  aliases: readonly string[]
  severity: Severity
  /** `deb/libssl3`: type and name. */
  package: string
  /** What it was built from, where that has another name: `deb/openssl`. */
  source?: string
  version: string
  fixable: boolean
  exploited: boolean
  /** Milliseconds since this registry first knew of it in that package. */
  knownFor: number
}

/** What is known of one manifest when somebody wants it. */
export interface ReleaseFacts {
  repository: string
  digest: Digest
  /** All that may be about the repository. */
  gates: readonly StoredGate[]
  /** What a person said of it. */
  state?: { kind: 'quarantined' | 'released'; reason: string } | undefined
  /** An image has file-system layers; a `proof` is a signature, an attestation or whatever else refers to something. */
  content: 'image' | 'proof' | 'artifact'
  /** Undefined until the image is scanned; `pending` then says what the scan is waiting for, if that is known. */
  scan?: ScanFacts | undefined
  pending?: string | undefined
  /** That have not expired. */
  exceptions: readonly GateException[]
  /** Whether one of these keys signed it. Asked last, and only by gates that want signatures. */
  isSigned(keys: readonly string[]): Promise<boolean>
  /** Who asks, as histories have it. */
  actor?: string | undefined
}

export type StoredGate = ReleaseGate & { id: number }

/** What a scan found. */
export interface ScanFacts {
  /** `failed`: it could not be looked at, and is not tried again by itself. */
  status: 'complete' | 'partial' | 'failed'
  /** Why it is not complete. */
  reasons: readonly string[]
  findings: readonly GateFinding[]
  /** Milliseconds since the data was taken. */
  dataAge: number
}

/** A vulnerability that does not count in repositories that a pattern matches. */
interface GateException {
  vulnerability: string
  /** `deb/libssl3`, or the source `deb/openssl` of several; undefined for all packages. */
  package?: string | undefined
  pattern: string
  /** Milliseconds. */
  expiresIn: number
}

/** The verdict of all gates on one manifest. It holds for `until` milliseconds unless something is changed. */
export type Release =
  /** `isExempt`: gates block it, but for whoever asks. */
  | { outcome: 'allowed'; warnings: readonly string[]; until: number; isExempt?: boolean }
  /** The scan is still to come: ask again for up to `wait` milliseconds, then refuse. */
  | { outcome: 'wait'; wait: number; refusal: BaleError; until: number }
  | { outcome: 'blocked'; refusal: BaleError; until: number }

/** What a gate does where it says nothing else. */
const GATE_DEFAULTS = {
  severity: 'critical',
  onlyFixable: false,
  grace: 0,
  unknown: 'medium',
  notCovered: 'allow',
  unscanned: { wait: 30_000 },
  exploited: 'block',
  staleAct: 'warn',
} as const satisfies Partial<ReleaseGate>

/**
 * Whether a manifest may be pulled. What a person said of it comes first: quarantine blocks even where there is no gate, and a
 * release passes all gates. Otherwise each gate that matches must let it pass, or exempt whoever asks.
 */
export async function judgeRelease(facts: ReleaseFacts): Promise<Release> {
  const { repository, digest, state, content, actor } = facts
  if (state?.kind === 'quarantined') {
    const refusal = blocked(facts, `${repository}@${digest} is in quarantine: ${state.reason}`, {})
    return { outcome: 'blocked', refusal, until: Number.POSITIVE_INFINITY }
  }
  const gates = facts.gates.filter(({ pattern }) => matchesPattern(pattern, repository))
  if (gates.length === 0 || content === 'proof') return allowed
  if (state?.kind === 'released') return allowed
  const verdicts: { gate: StoredGate; verdict: Verdict }[] = []
  for (const gate of gates) verdicts.push({ gate, verdict: await judgeByGate(gate, facts) })
  const objecting = verdicts.flatMap(({ gate, verdict: { objection, ...rest } }) =>
    objection ? [{ gate, objection, ...rest }] : [],
  )
  const refusing = objecting.filter(({ gate }) => actor === undefined || !gate.exempt?.includes(actor))
  if (refusing.length > 0) return refusedBy(facts, refusing)
  const until = Math.min(...verdicts.map(({ verdict }) => verdict.until))
  const warnings = [...new Set(verdicts.flatMap(({ verdict }) => verdict.warnings))]
  return { outcome: 'allowed', warnings, until, ...(objecting.length > 0 && { isExempt: true }) }
}

const allowed = { outcome: 'allowed', warnings: [], until: Number.POSITIVE_INFINITY } as const

/** What one gate says. */
interface Verdict {
  /** Why it blocks. */
  objection?: Objection
  /** How long to wait for the scan. Milliseconds. */
  wait?: number
  warnings: readonly string[]
  until: number
}

interface Objection {
  reason: string
  findings?: readonly GateFinding[]
  /** Nothing but a signature is missing. */
  isUnsigned?: boolean
  /** It may pass once it is scanned. */
  isUnscanned?: boolean
}

async function judgeByGate(gate: StoredGate, facts: ReleaseFacts): Promise<Verdict> {
  const verdict = facts.content === 'artifact' ? judgeArtifact(gate) : judgeImage(gate, facts)
  if (verdict.objection !== undefined || !gate.signers || gate.signers.length === 0) return verdict
  // Signatures come and go without anything being changed that gates are judged by.
  if (await facts.isSigned(gate.signers)) return { ...verdict, until: Math.min(verdict.until, SIGNED_FOR) }
  const reason = 'none of the required keys has signed it'
  return { objection: { reason, isUnsigned: true }, warnings: [], until: Math.min(verdict.until, UNSIGNED_FOR) }
}

/** Milliseconds. */
const SIGNED_FOR = 60_000
const UNSIGNED_FOR = 1_000

function judgeArtifact({ notCovered = GATE_DEFAULTS.notCovered }: StoredGate): Verdict {
  const reason = 'it is not an image, so its content is unknown'
  return acted(notCovered, reason)
}

function acted(act: 'allow' | 'block', reason: string): Verdict {
  const until = Number.POSITIVE_INFINITY
  return act === 'block' ? { objection: { reason }, warnings: [], until } : { warnings: [reason], until }
}

function judgeImage(gate: StoredGate, { scan, pending, exceptions, repository }: ReleaseFacts): Verdict {
  const { unscanned = GATE_DEFAULTS.unscanned } = gate
  if (!scan) {
    const reason = pending ?? 'not scanned yet'
    if (unscanned === 'allow') return acted('allow', reason)
    const blocked = { ...acted('block', reason), objection: { reason, isUnscanned: true } }
    return unscanned === 'block' ? blocked : { ...blocked, wait: unscanned.wait }
  }
  if (scan.status === 'failed')
    return acted(unscanned === 'allow' ? 'allow' : 'block', `its scan failed: ${scan.reasons.join(', ')}`)
  const counting = exceptions.filter(({ pattern }) => matchesPattern(pattern, repository))
  const until = counting.map(({ expiresIn }) => expiresIn)
  const found = scan.findings.filter((one) => !counting.some((exception) => fits(exception, one)))
  const blocking = found.filter((one) => {
    const how = blocks(gate, one)
    if (typeof how === 'number') until.push(how)
    return how === true
  })
  if (blocking.length > 0) return { objection: { reason: '', findings: blocking }, warnings: [], until: soonest(until) }
  const { notCovered = GATE_DEFAULTS.notCovered, stale, staleAct = GATE_DEFAULTS.staleAct } = gate
  const warnings: string[] = []
  if (scan.status === 'partial') {
    const reason = `its content is known only in part: ${scan.reasons.join(', ')}`
    if (notCovered === 'block') return { ...acted('block', reason), until: soonest(until) }
    warnings.push(reason)
  }
  if (stale !== undefined && scan.dataAge > stale) {
    const reason = `the vulnerability data is ${humanDuration(scan.dataAge)} old`
    if (staleAct === 'block') return { ...acted('block', reason), until: soonest(until) }
    warnings.push(reason)
  } else if (stale !== undefined) until.push(stale - scan.dataAge)
  return { warnings, until: soonest(until) }
}

const soonest = (times: readonly number[]) => Math.max(0, Math.min(...times, Number.POSITIVE_INFINITY))

/** Whether an exception is about a finding. */
export function fits(
  { vulnerability, package: of }: Pick<GateException, 'vulnerability' | 'package'>,
  one: Pick<GateFinding, 'id' | 'aliases' | 'package' | 'source'>,
): boolean {
  if (one.id !== vulnerability && !one.aliases.includes(vulnerability)) return false
  return of === undefined || of === one.package || of === one.source
}

/** True, false, or after how many milliseconds. */
function blocks(gate: StoredGate, { severity, exploited, fixable, knownFor }: GateFinding): boolean | number {
  if (exploited && (gate.exploited ?? GATE_DEFAULTS.exploited) === 'block') return true
  const counted = severity === 'unknown' ? (gate.unknown ?? GATE_DEFAULTS.unknown) : severity
  const least = gate.severity ?? GATE_DEFAULTS.severity
  if (counted === 'allow') return false
  if (counted !== 'block' && (least === 'none' || rank(counted) < rank(least))) return false
  if ((gate.onlyFixable ?? GATE_DEFAULTS.onlyFixable) && !fixable) return false
  const left = (gate.grace ?? GATE_DEFAULTS.grace) - knownFor
  return left > 0 ? left : true
}

const rank = (severity: Severity) => SEVERITIES.indexOf(severity)

interface Refusing extends Omit<Verdict, 'objection'> {
  gate: StoredGate
  objection: Objection
}

/** The refusal that time or a signature alone cannot end comes first: what is said of it is what has to be mended. */
function refusedBy(facts: ReleaseFacts, refusing: readonly Refusing[]): Release {
  const final = refusing.filter(({ wait }) => wait === undefined)
  const until = Math.min(...refusing.map((one) => one.until))
  if (final.length === 0) {
    const longest = Math.max(...refusing.map(({ wait = 0 }) => wait))
    return { outcome: 'wait', wait: longest, refusal: refusalOf(facts, refusing[0]!, refusing), until }
  }
  const chosen =
    final.find(({ objection }) => !objection.isUnsigned && !objection.isUnscanned) ??
    final.find(({ objection }) => objection.isUnscanned) ??
    final[0]!
  return { outcome: 'blocked', refusal: refusalOf(facts, chosen, refusing), until }
}

function refusalOf(facts: ReleaseFacts, { gate, objection }: Refusing, all: readonly Refusing[]): BaleError {
  const { reason, findings = [] } = objection
  const { repository, digest } = facts
  const ids = idsOf(findings)
  const shown = ids.slice(0, SHOWN)
  const more = ids.length > SHOWN ? ` and ${ids.length - SHOWN} more` : ''
  const why = findings.length === 0 ? reason : `${countsOf(findings)}: ${shown.join(', ')}${more}`
  return blocked(facts, `policy ${gate.id} of ${gate.pattern} blocks ${repository}@${digest}: ${why}`, {
    ...{ policy: gate.id, pattern: gate.pattern, ids: shown },
    // Only if nothing else is in the way.
    isUnsigned: all.every((one) => one.objection.isUnsigned ?? false),
    isUnscanned: all.every((one) => one.objection.isUnscanned ?? false),
  })
}

/** Errors of registries are one line on a terminal. */
const SHOWN = 5

function blocked({ repository, digest }: ReleaseFacts, message: string, details: Record<string, unknown>): BaleError {
  return new BaleError('IMAGE_BLOCKED', message, { details: { repository, digest, ...details } })
}

/** Worst first, each once. */
function idsOf(findings: readonly GateFinding[]): string[] {
  const worst = findings.toSorted(
    (a, b) => Number(b.exploited) - Number(a.exploited) || rank(b.severity) - rank(a.severity),
  )
  return [...new Set(worst.map(({ id }) => id))]
}

/** `2 critical, 1 high`: vulnerabilities, not the packages that have them. */
function countsOf(findings: readonly GateFinding[]): string {
  const counts = SEVERITIES.toReversed().map((severity) => {
    const ids = new Set(findings.filter((one) => one.severity === severity).map(({ id }) => id))
    return [ids.size, severity === 'unknown' ? 'not rated' : severity] as const
  })
  return counts.flatMap(([count, word]) => (count > 0 ? [`${count} ${word}`] : [])).join(', ')
}
