import { BaleError, printable, withoutSecrets } from '#base'
import { type GpgvAnswer, runGpgv } from './gpgv.ts'
import type { Keys } from './keyrings.ts'
import { signedTextOf } from './signed-text.ts'

/** A Release file as it was fetched. */
export interface SignedRelease {
  readonly url: string
  readonly file: Uint8Array
  /** `inline`: the signature is around the text (InRelease). Else it is the content of Release.gpg, if there is one. */
  readonly signature: 'inline' | Uint8Array | undefined
}

/** The text of a Release file and who vouches for it. */
interface VerifiedRelease {
  readonly text: string
  /** Fingerprint of the key; undefined when nobody does, which the caller has allowed. */
  readonly signedBy?: string
}

interface VerifyOptions {
  readonly keys: Keys
  /** Take a file although gpgv, the key or the signature is missing. A wrong signature is never taken. */
  readonly allowUnsigned: boolean
  /** Path of the program. */
  readonly gpgv: string
  readonly signal?: AbortSignal
}

/**
 * The text that a key of this machine has signed. Throws UNTRUSTED for a wrong or weak signature; UNSUPPORTED_HOST for
 * a missing gpgv, and UNTRUSTED for missing keys and signatures, unless they are allowed to be missing.
 */
export async function verifyRelease(release: SignedRelease, options: VerifyOptions): Promise<VerifiedRelease> {
  const file = Buffer.from(release.file).toString()
  const text = release.signature === 'inline' ? signedTextOf(file) : file
  if (text === undefined) throw untrusted(release, 'is not one signed text')
  const verdict = await judge(release, options)
  if ('signedBy' in verdict) return verdict
  if (options.allowUnsigned && verdict.because === 'missing') return { text }
  throw verdict.error
}

type Verdict =
  | Required<VerifiedRelease>
  /** Something is wrong with the signature, or something is missing for the verification. */
  | { readonly because: 'wrong' | 'missing'; readonly error: BaleError }

async function judge(release: SignedRelease, { keys, gpgv, signal }: VerifyOptions): Promise<Verdict> {
  const { file, signature } = release
  const missing = (error: BaleError): Verdict => ({ because: 'missing', error })
  if (!signature) return missing(untrusted(release, 'is not signed'))
  if (keys.keyrings.length === 0)
    return missing(untrusted(release, 'cannot be verified: the keys that may sign it are not on this machine', KEYS))
  const detached = signature === 'inline' ? undefined : signature
  const answer = await runGpgv(gpgv, { file, detached }, keys.keyrings, signal)
  if (!answer) return missing(gpgvMissing(gpgv))
  const wrong = objectionTo(answer)
  if (wrong !== undefined) return { because: 'wrong', error: untrusted(release, wrong) }
  const signedBy = answer.text === undefined ? undefined : signerOf(answer, keys.fingerprints)
  if (signedBy === undefined)
    return missing(untrusted(release, 'is signed by no key that this machine trusts for it', KEYS))
  return { text: answer.text!, signedBy }
}

/** Hashes of which two inputs with one value are known: MD5, SHA-1, RIPEMD-160. Source: RFC 9580, section 9.5. */
const WEAK_HASHES = ['1', '2', '3']

/** The line VALIDSIG of each good signature. For a key that has expired or was revoked there is no GOODSIG. */
function goodSignatures({ signatures }: GpgvAnswer): (readonly string[])[] {
  const good = signatures.filter((lines) => lines.some(([name]) => name === 'GOODSIG'))
  return good.flatMap((lines) => lines.filter(([name]) => name === 'VALIDSIG'))
}

function isStrong(valid: readonly string[]): boolean {
  return !WEAK_HASHES.includes(valid[8] ?? '1')
}

/** Fingerprint of the first key that signed well: the key itself, or a subkey of one of those that may sign. */
function signerOf(answer: GpgvAnswer, allowed: readonly string[] | undefined): string | undefined {
  const mayCount = ([, key, ...rest]: readonly string[]) =>
    allowed?.some((one) => one === key || one === rest.at(-1)) ?? true
  return goodSignatures(answer).find((valid) => isStrong(valid) && mayCount(valid))?.[1]
}

/** One good signature is enough, but a wrong one is too much: somebody has changed the file. */
function objectionTo(answer: GpgvAnswer): string | undefined {
  const names = answer.signatures.flat().map(([name]) => name)
  if (names.includes('BADSIG')) return 'has a wrong signature'
  const good = goodSignatures(answer)
  if (good.length > 0) return good.some(isStrong) ? undefined : 'is signed with a hash that can be forged'
  return ENDED.find(([name]) => names.includes(name))?.[1]
}

const ENDED = [
  ['EXPSIG', 'has a signature that has expired'],
  ['EXPKEYSIG', 'is signed by a key that has expired'],
  ['REVKEYSIG', 'is signed by a key that was revoked'],
] as const

const KEYS = 'apt-get install debian-archive-keyring'

function untrusted({ url }: SignedRelease, what: string, hint?: string): BaleError {
  return new BaleError('UNTRUSTED', `${printable(withoutSecrets(url))} ${what}`, { hint })
}

function gpgvMissing(gpgv: string): BaleError {
  return new BaleError('UNSUPPORTED_HOST', `${gpgv} is missing, which verifies the index of a Debian archive`, {
    hint: 'apt-get install gpgv',
  })
}
