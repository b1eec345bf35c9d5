import { BaleError, printable } from '#base'
import { SEVERITIES } from '#trust/advisories'
import { isAccountActor } from '../auth/index.ts'
import type { ReleaseGate } from '../decide/index.ts'

/** What a gate says, besides the repositories that it is about. */
export type GateRule = Omit<ReleaseGate, 'kind' | 'pattern'>

/** The rule as it is stored: unknown members are dropped, keys are normalised. INVALID_ARGUMENT names the first thing that is wrong. */
export async function checkedGateRule(rule: GateRule): Promise<GateRule> {
  const { severity, onlyFixable, grace, unknown, notCovered, unscanned, exploited, stale, staleAct, exempt = [] } = rule
  checkWord('severity', severity, [...SEVERITIES, 'none'])
  checkWord('unknown', unknown, [...SEVERITIES.filter((one) => one !== 'unknown'), 'block', 'allow'])
  for (const [name, act] of Object.entries({ notCovered, exploited })) checkWord(name, act, ['allow', 'block'])
  checkWord('staleAct', staleAct, ['warn', 'block'])
  if (onlyFixable !== undefined && typeof onlyFixable !== 'boolean') throw invalid('onlyFixable is true or false')
  checkPeriod('grace', grace, { least: 0, most: LONGEST })
  checkPeriod('stale', stale, { least: 1, most: LONGEST })
  if (staleAct !== undefined && stale === undefined) {
    throw invalid('staleAct needs stale: the age at which data counts as old')
  }
  if (typeof unscanned === 'object') checkPeriod('wait', unscanned.wait ?? Number.NaN, { least: 1, most: LONGEST_WAIT })
  else checkWord('unscanned', unscanned, ['allow', 'block'])
  checkExempt(exempt)
  const signers = await readSigners(rule.signers)
  return {
    ...{ severity, onlyFixable, grace, unknown, notCovered, exploited, stale, staleAct, signers },
    unscanned: typeof unscanned === 'object' ? { wait: unscanned.wait } : unscanned,
    exempt: exempt.length > 0 ? [...new Set(exempt)] : undefined,
  }
}

/** A century. */
const LONGEST = 100 * 365 * 86_400_000
/** Clients and proxies do not wait longer for an answer; the registry's own server ends idle connections after 120 s. */
const LONGEST_WAIT = 100_000
const MOST_SIGNERS = 20
const LONGEST_KEY = 8192
const MOST_EXEMPT = 100

function checkWord(name: string, value: string | undefined, words: readonly string[]): void {
  if (value === undefined || words.includes(value)) return
  throw invalid(`${name} of a gate is one of ${words.join(', ')}, and not ${printable(String(value), 80)}`)
}

function checkPeriod(name: string, value: number | undefined, { least, most }: { least: number; most: number }): void {
  if (value === undefined || (Number.isInteger(value) && value >= least && value <= most)) return
  throw invalid(`${name} of a gate is a whole number of milliseconds from ${least} to ${most}, and not ${value}`)
}

function checkExempt(exempt: readonly string[]): void {
  if (exempt.length > MOST_EXEMPT) throw invalid(`a gate exempts at most ${MOST_EXEMPT} accounts`)
  const wrong = exempt.find((actor) => !isAccountActor(actor))
  if (wrong === undefined) return
  throw invalid(`not a user or robot: ${printable(wrong, 160)}`, 'for example user:ann or robot:acme+scanner')
}

/** An empty list would ask for a signature that nobody can make. */
async function readSigners(signers: readonly string[] | undefined): Promise<string[] | undefined> {
  if (signers === undefined) return undefined
  if (signers.length < 1 || signers.length > MOST_SIGNERS) {
    throw invalid(`a gate that wants signatures names 1 to ${MOST_SIGNERS} public keys`)
  }
  // The key parser is loaded only when there are keys.
  const { readVerificationKey } = await import('#trust/signature')
  return signers.map((pem, index) => {
    const what = `signer key ${index + 1}`
    if (pem.length > LONGEST_KEY) throw invalid(`${what} has more than ${LONGEST_KEY} characters`)
    return readVerificationKey(pem, what).pem
  })
}

function invalid(message: string, hint?: string): BaleError {
  return new BaleError('INVALID_ARGUMENT', message, { hint })
}
