import { BaleError } from '#base'
import type { VerifiedImage } from '#engine'
import { parseLabels } from '../flags/flag-values.ts'
import { defineVerb } from '../verb/verb.ts'

export const verb = defineVerb({
  name: 'verify',
  summary: 'Check who signed an image in its registry',
  usage: 'NAME[:TAG|@DIGEST]',
  arguments: { min: 1, max: 1 },
  options: [
    { flags: '--key <FILE>', description: 'Public key (PEM); one of several is enough', repeat: true },
    {
      flags: '--certificate-identity <SUBJECT>',
      description: 'Who signed without a key: an address, with * for any text',
    },
    { flags: '--certificate-oidc-issuer <URL>', description: 'The login service that vouched for the identity' },
    { flags: '--trusted-root <FILE>', description: 'trusted_root.json of the Sigstore instance' },
    { flags: '--notation-authorities <FILE>', description: 'Certificates (PEM) for signatures of Notation' },
    { flags: '--policy <FILE>', description: 'Policy that says whose signatures count, in place of keys' },
    { flags: '--type <TYPE>', description: 'An attestation of this type instead of a signature' },
    { flags: '-a, --annotation <KEY=VALUE>', description: 'What the signature must say', repeat: true },
    { flags: '--not-older-than <TIME>', description: 'The signature must have been made since then: 2026-01-31' },
    {
      flags: '--repository <RULE>',
      description: 'match: a signature that names another repository does not count; named: it must name this one; any',
      default: 'match',
      choices: ['match', 'named', 'any'],
    },
    { flags: '--format <FORMAT>', description: 'text or json', default: 'text', choices: ['text', 'json'] },
  ],
  examples: [
    {
      command: 'bale verify --key release.pub localhost:5000/team/webserver:1',
      explains: 'Exit code 1 when nobody with the key signed it',
    },
    {
      command: 'bale verify --policy policy.yaml localhost:5000/team/webserver:1',
      explains: 'By the rule for its repository',
    },
  ],
  async run({ args, options, engine, io, signal }) {
    const verified = await engine.trust.verify(args[0]!, {
      keys: options.key,
      identity: identityOf(options),
      authorities: options.notationAuthorities,
      policy: options.policy,
      type: options.type,
      annotations: parseLabels(options.annotation ?? []),
      notOlderThan: timeOf(options.notOlderThan),
      repository: options.repository,
      signal,
    })
    if (options.format === 'json') await io.print(JSON.stringify(documentOf(verified), undefined, 2))
    else for (const line of linesOf(verified)) await io.print(line)
    return 0
  },
})

interface IdentityFlags {
  certificateIdentity?: string
  certificateOidcIssuer?: string
  trustedRoot?: string
}

function identityOf({ certificateIdentity: subject, certificateOidcIssuer: issuer, trustedRoot }: IdentityFlags) {
  if (subject === undefined && issuer === undefined && trustedRoot === undefined) return undefined
  if (subject !== undefined && issuer !== undefined && trustedRoot !== undefined)
    return { subject, issuer, trustedRoot }
  throw new BaleError(
    'INVALID_ARGUMENT',
    '--certificate-identity, --certificate-oidc-issuer and --trusted-root belong together',
  )
}

function timeOf(text: string | undefined): Date | undefined {
  if (text === undefined) return undefined
  const time = new Date(text)
  if (/^\d{4}-\d\d-\d\d/.test(text) && !Number.isNaN(time.getTime())) return time
  throw new BaleError('INVALID_ARGUMENT', `not a time such as 2026-01-31 or 2026-01-31T12:00:00Z: ${text}`)
}

function linesOf({ name, digest, verification, judgement }: VerifiedImage): string[] {
  if (judgement) return [`${name} (${digest}): ${judgement.reason} (rule ${judgement.rule.name})`]
  const signatures = verification!.verified.map(({ who, form, signedAt, predicateType }) => {
    const what = predicateType === undefined ? form : `${form} of ${predicateType}`
    return `  ${who} (${what}${signedAt ? `, ${signedAt.toISOString()}` : ''})`
  })
  return [`${name} (${digest}) is signed by`, ...signatures]
}

function documentOf({ name, digest, verification, judgement }: VerifiedImage) {
  const signatures = (verification?.verified ?? []).map(
    ({ who, form, attachment, signedAt, annotations, ...more }) => ({
      ...{ who, form, attachment, signedAt: signedAt?.toISOString(), annotations },
      predicateType: more.predicateType,
      predicate: more.predicate,
    }),
  )
  if (!judgement) return { name, digest, signatures, refused: verification!.refused }
  return { name, digest, allowed: judgement.allowed, rule: judgement.rule.name, reason: judgement.reason }
}
