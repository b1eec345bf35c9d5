import { BaleError } from '#base'
import type { Identity, LoginSource } from '../auth/index.ts'
import { createGroupRules, type GroupRule } from './group-rules.ts'
import { type LdapClient, type LdapServer, withDirectory } from './ldap-connection.ts'

/** A directory that speaks LDAP, and what of it the registry looks at. */
export interface LdapOptions extends LdapServer {
  /** Whom the registry itself logs in as, to search; nobody by default. */
  bind?: { dn: string; password: string }
  users: {
    base: string
    /** `(uid={name})`, with what else is needed to be a user of the registry. */
    filter: string
    /** Attribute that tells somebody from a later owner of the name: `entryUUID`. */
    id?: string
  }
  groups?: {
    base: string
    /** `(member={dn})` or `(memberUid={name})`. */
    filter: string
    /** Groups are called by their DN or their cn. */
    rules: readonly GroupRule[]
  }
  /** Milliseconds that an answer counts. */
  rememberFor: number
}

type Entry = { dn: string } & Record<string, unknown>

/**
 * Somebody is looked up, with their groups, by the registry's own login; then their password is tried by logging in as them.
 */
export function createLdapSource(options: LdapOptions): LoginSource {
  const rules = createGroupRules(options.groups?.rules ?? [])

  async function lookUp(client: LdapClient, name: string): Promise<{ dn: string; identity: Identity } | undefined> {
    await bindAsRegistry(client, options)
    const entry = await findUser(client, options, name)
    if (!entry) return undefined
    const groups = await groupsOf(client, options, { name, dn: entry.dn })
    return {
      dn: entry.dn,
      identity: { ...subjectOf(entry, options), ...rules.apply((group) => groups.has(plain(group))) },
    }
  }

  return {
    origin: 'ldap',
    rememberFor: options.rememberFor,
    ruled: rules.ruled,
    verify: (name, password) =>
      withDirectory(options, async (client) => {
        const found = await lookUp(client, name)
        return found && (await isPassword(client, found.dn, password)) ? found.identity : 'refused'
      }),
    find: (name) => withDirectory(options, async (client) => (await lookUp(client, name))?.identity ?? 'absent'),
  }
}

async function bindAsRegistry(client: LdapClient, { bind, url }: LdapOptions): Promise<void> {
  if (!bind) return
  try {
    await client.bind(bind.dn, bind.password)
  } catch (error) {
    if (!isResult(error, REFUSED)) throw error
    throw new BaleError('UNAVAILABLE', `the directory ${url} does not let the registry in as ${bind.dn}`, {
      cause: error,
    })
  }
}

/** Results of RFC 4511 that say something about who logs in, and not about the directory. */
const REFUSED = [19, 32, 48, 49, 50, 53]

const isResult = (error: unknown, codes: readonly number[]) => codes.includes((error as { code?: number }).code ?? -1)

async function isPassword(client: LdapClient, dn: string, password: string): Promise<boolean> {
  try {
    await client.bind(dn, password)
    return true
  } catch (error) {
    if (isResult(error, REFUSED)) return false
    throw error
  }
}

async function findUser(client: LdapClient, { users, url }: LdapOptions, name: string): Promise<Entry | undefined> {
  const { searchEntries } = await client.search(users.base, {
    scope: 'sub',
    filter: await filled(users.filter, { name }),
    attributes: users.id === undefined ? ['1.1'] : [users.id],
    ...(users.id !== undefined && { explicitBufferAttributes: [users.id] }),
    sizeLimit: 2,
  })
  if (searchEntries.length <= 1) return searchEntries[0]
  throw new BaleError('UNAVAILABLE', `the directory ${url} has several entries for ${name}: nobody knows whom it means`)
}

/** DNs and names of the groups that somebody is in. */
async function groupsOf(
  client: LdapClient,
  { groups }: LdapOptions,
  user: { name: string; dn: string },
): Promise<Set<string>> {
  if (!groups) return new Set()
  const filter = await filled(groups.filter, user)
  const { searchEntries } = await client.search(groups.base, { scope: 'sub', filter, attributes: ['cn'] })
  return new Set(searchEntries.flatMap(({ dn, cn }) => [dn, ...[cn ?? []].flat().map(String)].map(plain)))
}

/** DNs and names are compared without regard to case and to blanks around their parts. */
const plain = (name: string) => name.toLowerCase().replaceAll(/\s*([,=+])\s*/g, '$1')

/** Source: RFC 4515. What stands for a value cannot be anything else in the filter, whatever is in it. */
async function filled(filter: string, values: Readonly<Record<string, string>>): Promise<string> {
  const { Filter } = await import('ldapts')
  return filter.replaceAll(/\{(name|dn)\}/g, (whole, key: string) => {
    const value = values[key]
    return value === undefined ? whole : Filter.escape(value)
  })
}

/**
 * Its bytes: in some directories it is no text. An attribute that the registry cannot see would tell nobody from a later owner
 * of the name, and nobody would notice.
 */
function subjectOf(entry: Entry, { users, url }: LdapOptions): Pick<Identity, 'subject'> {
  const { id } = users
  if (id === undefined) return {}
  const [value] = Object.entries(entry).flatMap(([name, values]) =>
    name.toLowerCase() === id.toLowerCase() ? [values ?? []].flat() : [],
  )
  if (value === undefined) throw new BaleError('UNAVAILABLE', `the directory ${url} shows no ${id} of ${entry.dn}`)
  return { subject: (Buffer.isBuffer(value) ? value : Buffer.from(String(value))).toString('base64url') }
}
