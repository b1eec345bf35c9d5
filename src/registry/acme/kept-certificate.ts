import type { MetaStore } from '../meta/index.ts'
import type { Seal } from '../seal/index.ts'
import { newAccountKey } from './account-key.ts'
import type { Answers, ChallengeKind, Issued } from './order-certificate.ts'

/** A certificate, with what it was ordered by. */
export interface KeptCertificate extends Issued {
  /** URL of the authority's directory. */
  directory: string
  names: readonly string[]
  /** Milliseconds since 1970. */
  obtained: number
}

/** What became of the tries to get one since the last that succeeded. */
export interface Trial {
  failures: number
  /** When the next try may be made, in milliseconds since 1970. */
  next: number
}

/** What processes of one registry share of their certificate, in the database, sealed. */
export interface CertificateShelf extends Answers {
  certificate(): Promise<KeptCertificate | undefined>
  putCertificate(certificate: KeptCertificate): Promise<void>
  trial(): Promise<Trial | undefined>
  putTrial(trial: Trial | undefined): Promise<void>
  /** The key of the account at an authority (PEM), made when it is missing. */
  accountKey(directory: string): Promise<string>
  /** What to answer; undefined when no authority asks for it. */
  answer(kind: ChallengeKind, about: string): Promise<string | undefined>
}

/** As long as an authority may take. */
const KEEP_ANSWER = 3_600_000

export function createCertificateShelf({ meta, seal }: { meta: MetaStore; seal: Seal }): CertificateShelf {
  const read = async <T>(name: string): Promise<T | undefined> => {
    const text = await meta.acmeText(name)
    return text === undefined ? undefined : (JSON.parse(seal.open(name, text)) as T)
  }
  const write = (name: string, value: unknown, options?: { keep?: number; record?: readonly string[] }) =>
    meta.putAcmeText(name, seal.close(name, JSON.stringify(value)), options)
  return {
    certificate: () => read(CERTIFICATE),
    putCertificate: (certificate) => write(CERTIFICATE, certificate, { record: certificate.names }),
    trial: () => read(TRIAL),
    putTrial: (trial) => (trial ? write(TRIAL, trial) : meta.removeAcmeText(TRIAL)),
    async accountKey(directory) {
      const name = `account ${directory}`
      const kept = await read<string>(name)
      if (kept !== undefined) return kept
      const made = newAccountKey()
      await write(name, made)
      return made
    },
    put: (kind, about, keyAuthorization) => write(`${kind} ${about}`, keyAuthorization, { keep: KEEP_ANSWER }),
    remove: (kind, about) => meta.removeAcmeText(`${kind} ${about}`),
    answer: (kind, about) => read(`${kind} ${about}`),
  }
}

const CERTIFICATE = 'certificate'
const TRIAL = 'trial'
