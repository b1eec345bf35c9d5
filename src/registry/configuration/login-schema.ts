import * as v from 'valibot'
import { isProtected } from '../addresses/index.ts'
import { choice, duration, expects, flag, group, path, text, variable } from './values.ts'

const DN = /^[^\u0000-\u001f=]+=[^\u0000-\u001f]+$/
const dn = (description: string, ...examples: string[]) =>
  text(description, 'a distinguished name (DN)', DN, ...examples)

/** Parentheses around all of it, and a place for whom it is about. */
const filter = (description: string, what: string, pattern: RegExp, ...examples: string[]) =>
  v.pipe(
    text(description, what, pattern, ...examples),
    v.check((given) => isBalanced(given), 'has parentheses that do not belong together'),
  )

function isBalanced(text: string): boolean {
  let open = 0
  for (const sign of text) {
    if (sign === '(') open++
    if (sign === ')' && --open < 0) return false
  }
  return open === 0
}

const USER_FILTER = /^\(.*\{name\}.*\)$/
const GROUP_FILTER = /^\(.*\{(?:dn|name)\}.*\)$/

const PART = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*'

const NAME = /^[^\u0000-\u001f]+$/

const rulesOf = <Named extends v.GenericSchema>(named: Named) =>
  list('What each of them means', 'a list of rules', groupRuleOf(named))

const groupRuleOf = <Named extends v.GenericSchema>(named: Named) =>
  v.pipe(
    group('What being in a group means', {
      group: named,
      organisation: v.optional(
        text(
          'Organisation of the registry that its people are members of',
          'an organisation',
          new RegExp(`^${PART}$`),
          'acme',
        ),
      ),
      role: v.optional(choice('What they are in the organisation', ['member', 'owner'])),
      team: v.optional(
        text('Team of the registry that they are members of', 'a team', new RegExp(`^${PART}/${PART}$`), 'acme/web'),
      ),
      administrators: v.optional(flag('Whether they administer the registry')),
    }),
    v.check(
      ({ organisation, team, administrators }) =>
        [organisation, team, administrators].filter((one) => one !== undefined && one !== false).length === 1,
      'expects one of organisation, team, and administrators: true',
    ),
    v.check(
      ({ organisation, role }) => role === undefined || organisation !== undefined,
      'expects organisation, if there is a role',
    ),
  )

function list<Item extends v.GenericSchema>(description: string, what: string, item: Item) {
  return v.pipe(v.array(item, expects(what)), v.title(what.replace(/^a /, '')), v.description(description))
}

const ldap = group('Has users of a directory log in with their passwords there', {
  url: text(
    'Where the directory is; ldap:// needs starttls, unless it is on this machine',
    'the URL of a directory',
    /^ldaps?:\/\/[^/?#@\s]+\/?$/,
    'ldaps://ldap.example',
  ),
  starttls: v.optional(flag('Goes over to TLS before anything is said'), false),
  insecure: v.optional(flag('Allows passwords to go to the directory in plain text'), false),
  'ca-file': v.optional(
    path("File of the authorities (PEM) that its certificate may be from; the system's by default"),
  ),
  'bind-dn': v.optional(
    dn('What the registry logs in as to search; without it, it searches without a login', 'cn=bale,dc=example'),
  ),
  'password-file': v.optional(path('File with the password of bind-dn', '/run/secrets/ldap')),
  'password-env': v.optional(variable('Environment variable with the password of bind-dn')),
  users: group('Who may log in', {
    base: dn('Entry below which users are looked for', 'ou=people,dc=example'),
    filter: v.optional(
      filter(
        'What finds one of them; {name} stands for the name that is logged in with',
        'a filter of LDAP with {name}',
        USER_FILTER,
        '(&(objectClass=inetOrgPerson)(uid={name}))',
      ),
      '(uid={name})',
    ),
    id: v.optional(
      text(
        'Attribute that no two entries ever share: with it, a later owner of a name does not get the account of the first',
        'the name of an attribute',
        /^[A-Za-z][A-Za-z0-9;-]*$/,
        'entryUUID',
        'objectGUID',
      ),
    ),
  }),
  groups: v.optional(
    group('What the groups of the directory mean', {
      base: dn('Entry below which groups are looked for', 'ou=groups,dc=example'),
      filter: v.optional(
        filter(
          'What finds those of somebody; {dn} stands for their entry, {name} for their name',
          'a filter of LDAP with {dn} or {name}',
          GROUP_FILTER,
          '(member={dn})',
          '(memberUid={name})',
        ),
        '(member={dn})',
      ),
      rules: rulesOf(
        text('The group, by its DN or its name (cn)', 'a DN or name', NAME, 'cn=web,ou=groups,dc=example'),
      ),
    }),
  ),
  timeout: v.optional(
    duration('How long a login may take there; then the answer is 503', '5s', { least: '100ms', most: '1m' }),
    '5s',
  ),
  'remember-for': v.optional(
    duration('How long its answers count: so long, somebody who was removed there may go on', '1m', {
      least: '0s',
      most: '1h',
    }),
    '1m',
  ),
})

const issuer = (description: string, example: string) =>
  v.pipe(
    text(description, 'the URL of an issuer', /^https?:\/\/[^?#@\s]+$/, example),
    v.check((given) => {
      const url = URL.parse(given)
      return url !== null && isProtected(url)
    }, 'expects https://: whoever is on the way to it could make keys of their own'),
  )

const claim = (description: string, ...examples: string[]) =>
  text(description, 'the name of a claim', /^[^\u0000-\u0020"]+$/, ...examples)

const oidc = group('Has people log in with their browsers at a provider of OpenID Connect', {
  issuer: issuer('The provider, as it calls itself (iss)', 'https://login.example'),
  'client-id': text('What the registry is called there', 'a text', /^[^\u0000-\u001f]+$/, 'bale-registry'),
  'client-secret-file': v.optional(
    path('File with the secret of the client; without one, it is a public client', '/run/secrets/oidc'),
  ),
  'client-secret-env': v.optional(variable('Environment variable with the secret of the client')),
  scopes: v.optional(
    list(
      'What the provider is asked for; openid is always asked for',
      'a list of scopes',
      text('A scope', 'a scope', /^[\x21\x23-\x5b\x5d-\x7e]+$/, 'groups'),
    ),
    ['profile', 'email'],
  ),
  'name-claim': v.optional(
    claim('Claim with the name that somebody has here, at the first login', 'preferred_username'),
    'preferred_username',
  ),
  'groups-claim': v.optional(claim('Claim with the groups that somebody is in', 'groups')),
  groups: v.optional(
    group('What those groups mean', {
      rules: rulesOf(text('The group, as the provider calls it', 'a name', NAME, 'web')),
    }),
  ),
  title: v.optional(
    text(
      'What the provider is called on pages; by default, its host',
      'a text',
      /^[^\u0000-\u001f]{1,64}$/,
      'Example login',
    ),
  ),
  'valid-for': v.optional(
    duration(
      'How long what programs keep counts after a login: so long, somebody who was removed there may go on',
      '720h',
      { least: '1h' },
    ),
    '720h',
  ),
  'ca-file': v.optional(path("File of the authorities (PEM) that the provider's certificate may be from")),
})

const workload = group('A rule: whose token is taken, and for whom', {
  issuer: issuer('Who issues the tokens, as they say it (iss)', 'https://token.actions.githubusercontent.com'),
  audience: text(
    'What they must be for (aud): something that only this registry is called',
    'a text',
    /^[^\u0000-\u001f]+$/,
    'registry.example',
  ),
  when: v.pipe(
    v.record(
      v.string(),
      text(
        'What the claim must be',
        'a pattern: * stands for anything but / and :, and ** for anything',
        /^[^\u0000-\u001f]+$/,
      ),
      expects('a group of claims with patterns'),
    ),
    v.minEntries(1, 'expects at least one claim: everybody gets tokens from an issuer such as a forge'),
    v.title('claims with patterns'),
    v.description(
      'Claims that the token must have, each with a pattern: * stands for anything but / and :, and ** for anything',
    ),
    v.examples([{ repository: 'acme/web', ref: 'refs/heads/main' }]),
  ),
  as: text('Robot that it logs in as', 'a robot', new RegExp(`^${PART}(?:\\+${PART})$`), 'acme+ci'),
  lifetime: v.optional(
    duration(
      'How long a client may go on after its login, if it keeps a token of the registry in place of this one',
      '1h',
      {
        least: '1m',
        most: '12h',
      },
    ),
    '1h',
  ),
  'ca-file': v.optional(path("File of the authorities (PEM) that the issuer's certificate may be from")),
})

/** Who logs in, beyond users with passwords here. */
export const login = group('Who logs in, and how, beyond users with a password of the registry', {
  'refresh-tokens': v.optional(
    group('What clients keep in place of a password', {
      'unused-for': v.optional(
        duration(
          'They end when they are not used for so long; 0s: there are none, and clients keep passwords',
          '720h',
          {
            least: '0s',
          },
        ),
        '720h',
      ),
    }),
    {},
  ),
  sessions: v.optional(
    group('How long people are logged in with a browser', {
      'unused-for': v.optional(
        duration(
          'They are logged out when they make no request for so long; 0s: nobody logs in with a browser, nor lets programs in by that',
          '12h',
          { least: '0s' },
        ),
        '12h',
      ),
      lifetime: v.optional(duration('They are logged out after so long in any case', '168h', { least: '1m' }), '168h'),
    }),
    {},
  ),
  'bootstrap-token-file': v.optional(
    path(
      'File with a token of 32 characters or more: whoever shows it makes the first administrator',
      '/run/secrets/bootstrap',
    ),
  ),
  'bootstrap-token-env': v.optional(variable('Environment variable with that token')),
  oidc: v.optional(oidc),
  ldap: v.optional(ldap),
  workloads: v.optional(
    list(
      'Jobs of CI services log in with tokens of those; the first rule that fits counts',
      'a list of rules',
      workload,
    ),
    [],
  ),
})
