import { fitsPath } from '#base'
import { type Digest, type Reference, repositoryName } from '#spec'
import type { RepositoryRule, TrustedSigner } from '../claim/index.ts'

/** Whose signatures images must have. */
export interface SignaturePolicy {
  /** In the order of the file: the first that fits decides. */
  readonly rules: readonly PolicyRule[]
  /** For images that no rule names. */
  readonly fallback: PolicyRule
  /** Of the file and all keys and certificates that it names: what was judged by another digest must be judged again. */
  readonly digest: Digest
}

/** What holds for some images. */
export interface PolicyRule {
  /** For people: its name, or `rules[2]`. */
  readonly name: string
  /** `policy.yaml:7:5`. */
  readonly place: string
  /** Patterns of full names of repositories: `registry.example/team/*`, `**`. */
  readonly images: readonly string[]
  /** `warn`: what the rule would refuse is let through, and told. */
  readonly level: 'enforce' | 'warn'
  /** `refuse`: no image passes, whoever signed it. Otherwise one of each group must have signed; none need to without a group. */
  readonly require: 'refuse' | readonly (readonly TrustedSigner[])[]
  /** Each image of an index must have a signature of its own; that of the index is not enough. */
  readonly children: boolean
  readonly repository: RepositoryRule
  /** A signature must not be older than a time, or than so many days. */
  readonly notOlderThan?: { readonly since: Date } | { readonly days: number }
}

/** The rule that decides about images of a repository. */
export function ruleFor(
  { rules, fallback }: SignaturePolicy,
  name: Pick<Reference, 'registry' | 'repository'> | undefined,
): PolicyRule {
  if (name === undefined) return fallback
  const full = repositoryName(name)
  return rules.find(({ images }) => images.some((pattern) => fitsPath(pattern, full))) ?? fallback
}
