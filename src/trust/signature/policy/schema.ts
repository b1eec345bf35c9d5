import * as v from 'valibot'

const text = (what: string) =>
  v.pipe(v.string(`expects ${what}`), v.minLength(1, `expects ${what}`), v.maxLength(20_000, 'is too long'))

/** As names of repositories are written, with stars. */
const PATTERN = /^(?:\*|[a-z0-9[\]:._-])+(?:\/(?:\*|[a-z0-9._-])+)*$/
const A_PATTERN = 'expects a pattern of full names such as registry.example/team/*, registry.example/team/** or **'

const pattern = v.pipe(
  v.string(A_PATTERN),
  v.maxLength(255, A_PATTERN),
  v.regex(PATTERN, A_PATTERN),
  v.check(
    (one) => one.split('/').every((part) => part === '**' || !part.includes('**')),
    '** stands for whole parts of a name only',
  ),
  v.check(
    (one) => one.startsWith('**') || one.startsWith('*') || /^[^/]*[.:][^/]*\/|^localhost\//.test(one),
    'expects a name that begins with its registry: docker.io/library/debian, not debian',
  ),
)

const key = text('the path of a public key, or the key itself')

const identity = v.strictObject(
  {
    subject: text('a mail address or URI, with * for any text'),
    issuer: text('the address of a login service'),
    'trust-root': text('the path of a trusted_root.json'),
  },
  'expects a group with subject, issuer and trust-root',
)

const certificate = v.strictObject(
  {
    authorities: text('the path of a file with certificates'),
    subject: v.optional(v.record(v.string(), v.string('expects a text'), 'expects a group such as O: Example')),
    'signing-authority': v.optional(v.boolean('expects true or false')),
  },
  'expects a group with authorities',
)

const KINDS = { key: v.optional(key), identity: v.optional(identity), certificate: v.optional(certificate) }
const ONE_KIND = 'expects one of key, identity and certificate'

const signer = v.pipe(
  v.strictObject(KINDS, ONE_KIND),
  v.check((one) => given(one) === 1, ONE_KIND),
)

const MOST_SIGNERS = 20
const ONE_OF = 'expects one of key, identity, certificate and any'

const requirement = v.pipe(
  v.strictObject(
    {
      ...KINDS,
      any: v.optional(
        v.pipe(
          v.array(signer, 'expects a list of signers'),
          v.minLength(1, 'expects at least one signer'),
          v.maxLength(MOST_SIGNERS, `expects at most ${MOST_SIGNERS} signers`),
        ),
      ),
    },
    ONE_OF,
  ),
  v.check((one) => given(one) === 1, ONE_OF),
)

const A_TIME = 'expects a time such as 2026-01-31 or 2026-01-31T12:00:00Z, or a number of days such as 90d'

const notOlderThan = v.pipe(
  v.string(A_TIME),
  v.regex(/^(?:\d{1,5}d|\d{4}-\d\d-\d\d(?:T\d\d:\d\d:\d\dZ)?)$/, A_TIME),
  v.transform((one) => (one.endsWith('d') ? { days: Number(one.slice(0, -1)) } : { since: new Date(one) })),
  v.check((one) => 'days' in one || !Number.isNaN(one.since.getTime()), A_TIME),
)

const SETTINGS = {
  level: v.optional(v.picklist(['enforce', 'warn'], 'expects enforce or warn'), 'enforce'),
  require: v.pipe(
    v.array(requirement, 'expects a list of signers, each of which is required; an empty list requires nobody'),
    v.maxLength(MOST_SIGNERS, `expects at most ${MOST_SIGNERS} signers`),
  ),
  children: v.optional(v.boolean('expects true or false'), false),
  repository: v.optional(v.picklist(['match', 'named', 'any'], 'expects match, named or any'), 'match'),
  'not-older-than': v.optional(notOlderThan),
}

const rule = v.strictObject(
  {
    name: v.optional(v.pipe(text('a name'), v.maxLength(100, 'is too long'))),
    images: v.pipe(v.array(pattern, 'expects a list of patterns'), v.minLength(1, 'expects at least one pattern')),
    ...SETTINGS,
  },
  'expects a group with images and require',
)

const A_DEFAULT = 'expects allow, refuse, or a group with require, for images that no rule names'

const defaultWord = v.picklist(['allow', 'refuse'], A_DEFAULT)
const defaultGroup = v.strictObject(SETTINGS, A_DEFAULT)

/** The file. Texts that are paths or keys are not looked at. */
export const POLICY = v.strictObject(
  {
    version: v.literal(1, 'expects 1'),
    default: v.lazy((value) => (typeof value === 'object' ? defaultGroup : defaultWord)),
    rules: v.optional(
      v.pipe(v.array(rule, 'expects a list of rules'), v.maxLength(1000, 'expects at most 1000 rules')),
      [],
    ),
  },
  'expects a group with version, default and rules',
)

export type PolicyContent = v.InferOutput<typeof POLICY>
export type RuleContent = PolicyContent['rules'][number]
export type SignerContent = v.InferOutput<typeof signer>

/** What each group of the file may have, for hints about mistyped members. */
export const MEMBERS: readonly string[] = [
  ...['version', 'default', 'rules', 'name', 'images'],
  ...Object.keys(SETTINGS),
  ...['key', 'identity', 'certificate', 'any', 'subject', 'issuer', 'trust-root', 'authorities', 'signing-authority'],
]

function given(group: object): number {
  return Object.values(group).filter((value) => value !== undefined).length
}
