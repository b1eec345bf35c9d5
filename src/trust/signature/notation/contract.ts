/** Certificates that openssl makes, for tests of signatures. */
import { execFileSync } from 'node:child_process'
import { createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes, X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readTextSync } from '#host/file'

export interface TestCertificate {
  key: KeyObject
  keyPem: string
  cert: X509Certificate
  pem: string
}

export interface CertificateParts {
  /** `/C=US/O=Example/CN=Releases`. */
  subject: string
  /** Lines of openssl: `keyUsage=critical,digitalSignature`. */
  extensions: readonly string[]
  /** Self-signed without one. */
  issuer?: TestCertificate
  /** `P-256`, or bits of RSA. */
  kind?: 'P-256' | 'P-384' | 'P-521' | number
  /** `20240101000000Z`; now and in two days by default. */
  from?: string
  to?: string
  hash?: string
}

export const AUTHORITY = ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign,cRLSign']
export const CODE_SIGNER = [
  'basicConstraints=CA:FALSE',
  'keyUsage=critical,digitalSignature',
  'extendedKeyUsage=codeSigning',
]

/** A new key with a certificate. */
export function makeCertificate(parts: CertificateParts): TestCertificate {
  const directory = mkdtempSync(join(tmpdir(), 'bale-certificate-'))
  try {
    return issue(parts, (name) => join(directory, name))
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

/** `openssl ca`, since it alone takes both ends of the validity. */
function issue(parts: CertificateParts, at: (name: string) => string): TestCertificate {
  const { subject, extensions, issuer, kind = 'P-256', hash = 'sha256' } = parts
  writeFileSync(at('key.pem'), newKey(kind))
  writeFileSync(at('index.txt'), '')
  writeFileSync(at('serial'), `0${randomBytes(9).toString('hex').slice(1)}\n`)
  writeFileSync(
    at('openssl.cnf'),
    `[ca]
default_ca = authority
[authority]
database = ${at('index.txt')}
serial = ${at('serial')}
new_certs_dir = ${at('.')}
policy = policy
default_md = ${hash}
unique_subject = no
copy_extensions = none
[policy]
C = optional
ST = optional
O = optional
CN = optional
[req]
distinguished_name = name
[name]
[extensions]
subjectKeyIdentifier = hash
${extensions.map((line) => line.replace('=', ' = ')).join('\n')}
`,
  )
  const request = ['-new', '-key', at('key.pem'), '-subj', subject, '-out', at('request.pem')]
  openssl(['req', ...request, '-config', at('openssl.cnf')])
  if (issuer) {
    writeFileSync(at('issuer.key'), issuer.keyPem)
    writeFileSync(at('issuer.pem'), issuer.pem)
  }
  const signer = issuer
    ? ['-keyfile', at('issuer.key'), '-cert', at('issuer.pem')]
    : ['-selfsign', '-keyfile', at('key.pem')]
  const validity = ['-startdate', parts.from ?? compact(-60_000), '-enddate', parts.to ?? compact(2 * 86_400_000)]
  const files = ['-in', at('request.pem'), '-out', at('cert.pem'), '-notext', '-batch']
  openssl([
    'ca',
    '-config',
    at('openssl.cnf'),
    '-extensions',
    'extensions',
    '-preserveDN',
    ...signer,
    ...validity,
    ...files,
  ])
  const [keyPem, pem] = [readTextSync(at('key.pem')), readTextSync(at('cert.pem'))]
  return { key: createPrivateKey(keyPem), keyPem, cert: new X509Certificate(pem), pem }
}

function newKey(kind: NonNullable<CertificateParts['kind']>): string {
  const { privateKey } =
    typeof kind === 'number'
      ? generateKeyPairSync('rsa', { modulusLength: kind })
      : generateKeyPairSync('ec', { namedCurve: kind })
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
}

function compact(fromNow: number): string {
  return `${new Date(Date.now() + fromNow).toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`
}

function openssl(args: readonly string[]): void {
  execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] })
}
