/**
 * A directory (OpenLDAP's slapd) of a test's own: on free ports of loopback, in a temporary directory. Needs Debian's slapd.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { freePort } from './free-port.ts'
import { selfSigned } from './self-signed.ts'
import { temporaryDirectory } from './temporary.ts'
import { until } from './until.ts'

const SLAPD = '/usr/sbin/slapd'
const BASE = 'dc=example,dc=org'

/** The one who may do everything in it. */
export const DIRECTORY_ADMIN = { dn: `cn=admin,${BASE}`, password: 'word of the directory' }

/** Why it cannot run on this machine, for `skip`; false when it can. */
export function withoutSlapd(): string | false {
  return existsSync(SLAPD) ? false : 'slapd is not installed (apt-get install slapd)'
}

export interface Slapd extends AsyncDisposable {
  /** `ldap://localhost:port`, where StartTLS is spoken as well. */
  readonly url: string
  readonly secureUrl: string
  /** PEM, of its certificate. */
  readonly ca: string
  readonly base: string
  /** Has a program of OpenLDAP change it: `add` and `modify` take LDIF, `delete` DNs. */
  change(how: 'add' | 'modify' | 'delete', text: string): void
  /** Somebody with `uid=name` below ou=people. */
  addUser(name: string, password: string): void
  /** Ends it at once, and starts it again. */
  stop(): Promise<void>
  start(): Promise<void>
  /** Keeps it from answering, without ending it. */
  pause(): void
  resume(): void
}

/** A directory with the organisational units people and groups. */
export async function startSlapd(): Promise<Slapd> {
  await using opened = new AsyncDisposableStack()
  const { path } = opened.use(await temporaryDirectory('bale-slapd'))
  const [port, securePort] = [await freePort(), await freePort()]
  const { key, cert } = selfSigned('localhost')
  mkdirSync(join(path, 'data'))
  writeFileSync(join(path, 'key.pem'), key, { mode: 0o600 })
  writeFileSync(join(path, 'cert.pem'), cert)
  writeFileSync(join(path, 'slapd.conf'), configuration(path))
  const urls = `ldap://localhost:${port} ldaps://localhost:${securePort}`
  let child: ChildProcess | undefined
  const stop = async () => {
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise((resolve) => child!.once('exit', resolve))
    child.kill('SIGCONT')
    child.kill('SIGKILL')
    await ended
  }
  const start = async () => {
    // In the foreground, as a child: whatever becomes of the test, it is ended by its ID.
    const running = spawn(SLAPD, ['-h', urls, '-f', join(path, 'slapd.conf'), '-d', '0'], { stdio: 'ignore' })
    child = running
    await until('slapd listens', () => {
      if (running.exitCode !== null) throw new Error(`slapd ended with ${running.exitCode}`)
      return isListening(port)
    })
  }
  const change: Slapd['change'] = (how, text) => {
    const login = ['-x', '-H', `ldap://localhost:${port}`, '-D', DIRECTORY_ADMIN.dn, '-w', DIRECTORY_ADMIN.password]
    const program = { add: 'ldapadd', modify: 'ldapmodify', delete: 'ldapdelete' }[how]
    execFileSync(program, login, { input: `${text.trimEnd()}\n`, stdio: ['pipe', 'ignore', 'pipe'] })
  }
  opened.defer(stop)
  await start()
  change('add', CONTENT)
  const parts = opened.move()
  return {
    url: `ldap://localhost:${port}`,
    secureUrl: `ldaps://localhost:${securePort}`,
    ca: cert,
    base: BASE,
    change,
    addUser: (name, password) => change('add', userEntry(name, password)),
    stop,
    start,
    pause: () => void child?.kill('SIGSTOP'),
    resume: () => void child?.kill('SIGCONT'),
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  }
}

const CONTENT = `dn: ${BASE}
objectClass: dcObject
objectClass: organization
o: example

dn: ou=people,${BASE}
objectClass: organizationalUnit

dn: ou=groups,${BASE}
objectClass: organizationalUnit
`

function userEntry(name: string, password: string): string {
  return `dn: uid=${name},ou=people,${BASE}
objectClass: inetOrgPerson
uid: ${name}
cn: ${name}
sn: ${name}
userPassword: ${password}
`
}

/** Without a login, only a bind is possible, and without a password it succeeds as nobody: what many directories do. */
function configuration(path: string): string {
  return `include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile ${path}/slapd.pid
allow bind_anon_dn
TLSCertificateFile ${path}/cert.pem
TLSCertificateKeyFile ${path}/key.pem
database mdb
maxsize 16777216
suffix "${BASE}"
rootdn "${DIRECTORY_ADMIN.dn}"
rootpw "${DIRECTORY_ADMIN.password}"
directory ${path}/data
access to attrs=userPassword by anonymous auth by * none
access to * by users read by * none
`
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: 'localhost', port })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
