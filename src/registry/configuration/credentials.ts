import type {
  Configuration,
  LdapConfiguration,
  LoginConfiguration,
  NamedFile,
  OidcConfiguration,
  ScaledOutContent,
  TlsFiles,
  TlsOfAuthority,
  UpstreamConfiguration,
} from './configuration.ts'
import {
  type Environment,
  readAuthorities,
  readCertificate,
  readDigits,
  readHeaders,
  readHmacKey,
  readKey,
  readSecret,
  readToken,
  Unusable,
} from './named-files.ts'
import { refusal } from './problems.ts'

/** What is in the files and environment variables that a configuration names. */
export interface Credentials {
  tls?: TlsCredentials
  /** PEM. */
  acme?: { ca?: string; hmacKey?: string }
  tracing?: { headers?: Record<string, string> }
  postgres?: { password?: string; ca?: string }
  s3?: { accessKey: string; secretKey: string }
  /** Of upstreams, in the configuration's order. */
  upstreams?: readonly { password?: string; ca?: string }[]
  /** Of rules of replication, in the configuration's order. */
  replication?: readonly { password?: string; ca?: string }[]
  login?: LoginCredentials
  /** Of a scaled-out registry: at least 32 bytes. */
  secret?: Uint8Array
}

/** PEM texts, of which the key belongs to the certificate. */
export interface TlsCredentials {
  cert: string
  key: string
  clientAuthorities?: string
}

/** Of directories and issuers. */
interface LoginCredentials {
  ldap?: { password?: string; ca?: string }
  oidc?: { clientSecret?: string; ca?: string }
  bootstrapToken?: string
  /** Authorities in PEM, by the place of the rule that names them. */
  authorities: Readonly<Record<string, string>>
}

/**
 * Reads them. INVALID_ARGUMENT lists all that is wrong, a line for each, as `readConfiguration`: what is missing, files
 * with secrets that others can read, certificates and keys that are malformed or do not match. Nothing of it is a
 * secret.
 */
export async function loadCredentials(
  { listen, content, login, upstreams, replication, tracing }: Configuration,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Credentials> {
  return await gathering(async (attempt) => ({
    ...(listen.tls && (await protectionOf(listen.tls, environment, attempt))),
    ...(tracing?.headersFile && { tracing: await tracingOf(tracing.headersFile, attempt) }),
    ...(namesCredentials(login) && { login: await loginOf(login, environment, attempt) }),
    ...(content.kind === 'scaled-out' && (await sharedOf(content, environment, attempt))),
    ...(upstreams.length > 0 && {
      upstreams: await Promise.all(upstreams.map((one) => registryOf(one, environment, attempt))),
    }),
    ...(replication.length > 0 && {
      replication: await Promise.all(replication.map((one) => registryOf(one, environment, attempt))),
    }),
  }))
}

/** Reads those of TLS alone, as `loadCredentials`. */
export async function loadTls(files: TlsFiles): Promise<TlsCredentials> {
  return await gathering((attempt) => tlsOf(files, attempt))
}

/** Reads a file of authorities alone, as `loadCredentials`. */
export async function loadClientAuthorities(file: NamedFile): Promise<string> {
  const read = async (attempt: Attempt) => ({ pem: await attempt(file, () => readAuthorities(file)) })
  return (await gathering<{ pem: string }>(read)).pem
}

/** Throws all problems of the attempts at once; without one, each attempt got what it was for. */
async function gathering<T>(read: (attempt: Attempt) => Promise<object>): Promise<T> {
  const problems: string[] = []
  const gathered = await read(async ({ at }, work) => {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof Unusable)) throw error
      problems.push(`${at}: ${error.message}`)
      return undefined
    }
  })
  if (problems.length > 0) throw refusal(problems)
  return gathered as T
}

/** Answers undefined when what is named there cannot be used. */
type Attempt = <T>(named: { at: string }, work: () => T | Promise<T>) => Promise<T | undefined>

async function protectionOf(tls: TlsFiles | TlsOfAuthority, environment: Environment, attempt: Attempt) {
  if ('certificate' in tls) return { tls: await tlsOf(tls, attempt) }
  const { clientAuthorities, acme } = tls
  if (clientAuthorities) await attempt(clientAuthorities, () => readAuthorities(clientAuthorities))
  const { ca, externalAccount } = acme
  return {
    acme: {
      ca: ca && (await attempt(ca, async () => (await readCertificate(ca)).pem)),
      hmacKey:
        externalAccount && (await attempt(externalAccount.key, () => readHmacKey(externalAccount.key, environment))),
    },
  }
}

async function tracingOf(file: NamedFile, attempt: Attempt) {
  return { headers: await attempt(file, () => readHeaders(file)) }
}

async function tlsOf({ certificate, key, clientAuthorities: named }: TlsFiles, attempt: Attempt) {
  const own = await attempt(certificate, () => readCertificate(certificate))
  const secret = await attempt(key, () => readKey(key))
  if (own && secret) {
    await attempt(key, () => {
      if (!own.certificate.checkPrivateKey(secret.key)) {
        throw new Unusable(`the key in ${key.path} is not that of the certificate in ${certificate.path}`)
      }
    })
  }
  const clientAuthorities = named && (await attempt(named, () => readAuthorities(named)))
  return { cert: own?.pem, key: secret?.pem, ...(named && { clientAuthorities }) }
}

async function registryOf(
  { login, ca }: Pick<UpstreamConfiguration, 'login' | 'ca'>,
  environment: Environment,
  attempt: Attempt,
) {
  return {
    password: login && (await attempt(login.password, () => readSecret(login.password, environment))),
    ca: ca && (await attempt(ca, () => readAuthorities(ca))),
  }
}

const namesCredentials = ({ ldap, oidc, bootstrapToken, workloads }: LoginConfiguration) =>
  ldap !== undefined || oidc !== undefined || bootstrapToken !== undefined || workloads.length > 0

async function loginOf(
  { ldap, oidc, bootstrapToken: token, workloads }: LoginConfiguration,
  environment: Environment,
  attempt: Attempt,
) {
  const directory = ldap && (await directoryOf(ldap, environment, attempt))
  const provider = oidc && (await providerOf(oidc, environment, attempt))
  const bootstrapToken = token && (await attempt(token, () => readToken(token, environment)))
  const authorities: Record<string, string | undefined> = {}
  for (const { ca } of workloads) if (ca) authorities[ca.at] = await attempt(ca, () => readAuthorities(ca))
  return {
    ...(directory && { ldap: directory }),
    ...(provider && { oidc: provider }),
    ...(bootstrapToken !== undefined && { bootstrapToken }),
    authorities,
  }
}

async function providerOf({ clientSecret: secret, ca }: OidcConfiguration, environment: Environment, attempt: Attempt) {
  return {
    clientSecret: secret && (await attempt(secret, () => readSecret(secret, environment))),
    ca: ca && (await attempt(ca, () => readAuthorities(ca))),
  }
}

async function directoryOf({ bind, ca }: LdapConfiguration, environment: Environment, attempt: Attempt) {
  return {
    password: bind && (await attempt(bind.password, () => readSecret(bind.password, environment))),
    ca: ca && (await attempt(ca, () => readAuthorities(ca))),
  }
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
