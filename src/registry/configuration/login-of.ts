import type { GroupRule } from '../login/index.ts'
import type {
  LdapConfiguration,
  LoginConfiguration,
  OidcConfiguration,
  WorkloadConfiguration,
} from './configuration.ts'
import type { Names } from './names.ts'
import type { FileContent } from './schema.ts'

type Login = FileContent['login']
type Ldap = NonNullable<Login['ldap']>
type Oidc = NonNullable<Login['oidc']>
type Groups = NonNullable<Ldap['groups']>

export function loginOf(login: Login, names: Names): LoginConfiguration {
  const { oidc, ldap, workloads, sessions, 'refresh-tokens': refresh } = login
  return {
    refreshTokensUnusedFor: refresh['unused-for'],
    sessions: { unusedFor: sessions['unused-for'], lifetime: sessions.lifetime },
    bootstrapToken: names.secret('login.bootstrap-token', login),
    oidc: oidc && oidcOf(oidc, names),
    ldap: ldap && ldapOf(ldap, names),
    workloads: workloads.map((workload, at) => workloadOf(workload, `login.workloads[${at}]`, names)),
  }
}

/** The rules hold: a DN comes with a password. */
function ldapOf(ldap: Ldap, names: Names): LdapConfiguration {
  const { url, starttls, users, groups, timeout, 'bind-dn': dn, 'ca-file': ca } = ldap
  return {
    url: url.replace(/\/$/, ''),
    startTls: starttls,
    ...(ca !== undefined && { ca: names.file('login.ldap.ca-file', ca) }),
    ...(dn !== undefined && { bind: { dn, password: names.secret('login.ldap.password', ldap)! } }),
    users: { base: users.base, filter: users.filter, id: users.id },
    ...(groups && { groups: { base: groups.base, filter: groups.filter, rules: groups.rules.map(ruleOf) } }),
    timeout,
    rememberFor: ldap['remember-for'],
  }
}

function oidcOf(oidc: Oidc, names: Names): OidcConfiguration {
  const { issuer, groups, title = new URL(issuer).host, 'client-id': clientId, 'ca-file': ca } = oidc
  const [clientSecret, groupsClaim] = [names.secret('login.oidc.client-secret', oidc), oidc['groups-claim']]
  return {
    ...{ issuer, clientId, clientSecret, groupsClaim, title },
    scopes: [...new Set(['openid', ...oidc.scopes])],
    nameClaim: oidc['name-claim'],
    rules: (groups?.rules ?? []).map(ruleOf),
    validFor: oidc['valid-for'],
    ...(ca !== undefined && { ca: names.file('login.oidc.ca-file', ca) }),
  }
}

function ruleOf({ group, organisation, role = 'member', team, administrators }: Groups['rules'][number]): GroupRule {
  if (administrators) return { group, administrators }
  return { group, member: team === undefined ? { name: organisation!, role } : { name: team, role: 'member' } }
}

function workloadOf(workload: Login['workloads'][number], key: string, names: Names): WorkloadConfiguration {
  const { issuer, audience, when, as, lifetime, 'ca-file': ca } = workload
  return {
    ...{ issuer, audience, when: { ...when }, as, lifetime },
    ...(ca !== undefined && { ca: names.file(`${key}.ca-file`, ca) }),
  }
}
