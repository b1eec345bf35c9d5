import type { Configuration, ListenConfiguration, ScaledOutContent } from './configuration.ts'
import { type Environment, readCertificate, readDigits, readKey, readSecret, Unusable } from './named-files.ts'
import { refusal } from './problems.ts'

/** What is in the files and environment variables that a configuration names. */
export interface Credentials {
  /** PEM texts, of which the key belongs to the certificate. */
  tls?: { cert: string; key: string }
  postgres?: { password?: string; ca?: string }
  s3?: { accessKey: string; secretKey: string }
  /** Of a scaled-out registry: at least 32 bytes. */
  secret?: Uint8Array
}

/**
 * Reads them. INVALID_ARGUMENT lists all that is wrong, a line for each, as `readConfiguration`: what is missing, files
 * with secrets that others can read, certificates and keys that are malformed or do not match. Nothing of it is a
 * secret.
 */
export async function loadCredentials(
  { listen, content }: Configuration,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Credentials> {
  const problems: string[] = []
  const attempt: Attempt = async ({ at }, work) => {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof Unusable)) throw error
      problems.push(`${at}: ${error.message}`)
      return undefined
    }
  }
  const credentials = {
    ...(listen.tls && { tls: await tlsOf(listen.tls, attempt) }),
    ...(content.kind === 'scaled-out' && (await sharedOf(content, environment, attempt))),
  }
  if (problems.length > 0) throw refusal(problems)
  // What an attempt did not get is a problem.
  return credentials as Credentials
}

/** Answers undefined when what is named there cannot be used. */
type Attempt = <T>(named: { at: string }, work: () => T | Promise<T>) => Promise<T | undefined>

async function tlsOf({ certificate, key }: NonNullable<ListenConfiguration['tls']>, attempt: Attempt) {
  const own = await attempt(certificate, () => readCertificate(certificate))
  const secret = await attempt(key, () => readKey(key))
  if (own && secret) {
    await attempt(key, () => {
      if (!own.certificate.checkPrivateKey(secret.key)) {
        throw new Unusable(`the key in ${key.path} is not that of the certificate in ${certificate.path}`)
      }
    })
  }
  return { cert: own?.pem, key: secret?.pem }
}

async function sharedOf({ postgres, objects, secret }: ScaledOutContent, environment: Environment, attempt: Attempt) {
  const { password, ca } = postgres
  return {
    postgres: {
      password: password && (await attempt(password, () => readSecret(password, environment))),
      ca: ca && (await attempt(ca, async () => (await readCertificate(ca)).pem)),
    },
    ...(objects.kind === 's3' && {
      s3: {
        accessKey: await attempt(objects.accessKey, () => readSecret(objects.accessKey, environment)),
        secretKey: await attempt(objects.secretKey, () => readSecret(objects.secretKey, environment)),
      },
    }),
    secret: await attempt(secret, () => readDigits(secret, environment)),
  }
}
