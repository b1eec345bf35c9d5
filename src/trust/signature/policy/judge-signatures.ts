import { BaleError, type Clock, type OperationOptions, systemClock } from '#base'
import { imagesOf, readManifest } from '#image'
import { type Descriptor, isIndexType, type Reference } from '#spec'
import type { AttachmentSource } from '../attachment/index.ts'
import type { TrustedSigner } from '../claim/index.ts'
import { type Verification, verifyImage } from '../verify/index.ts'
import { type PolicyRule, ruleFor, type SignaturePolicy } from './policy.ts'

/** What is judged: bytes by digest, under a name. */
interface JudgedImage {
  /** Where it is; undefined for an image without a name, for which the default holds. */
  name: Pick<Reference, 'registry' | 'repository'> | undefined
  descriptor: Descriptor
  /** The index that the image was asked for with: a signature of that counts as well. */
  containedIn?: Descriptor
}

/** Whether an image may be used. */
export interface Judgement {
  /** True also where the rule only warns. */
  readonly allowed: boolean
  /** Whether it is what the rule requires. */
  readonly satisfied: boolean
  readonly rule: PolicyRule
  /** One sentence, without the name of the image: `signed by release.pub`. */
  readonly reason: string
  /** All that was looked at: of the image, of its index, of the images of an index. */
  readonly verifications: readonly Verification[]
}

/** What a judgement needs besides. */
interface JudgeOptions extends OperationOptions {
  clock?: Clock
}

/** How many images of an index are looked at. Real indexes have fewer. */
const MOST_CHILDREN = 64
/** Indexes inside an index. */
const DEEPEST = 2
const DAY = 86_400_000

/**
 * Judges an image by the first rule that fits its name. The judgement is about the digest and may be kept by it and the policy's
 * digest, as long as signatures cannot expire (`notOlderThan` in days, certificates). Where nothing is required, nothing is
 * read. Failures that say nothing of the image (network, login) are thrown: then it must not be used either.
 *
 * An index is judged by its own signature, an image of it by its own or by that of the index. With `children` each must have its
 * own. A tag that was moved back to an older signed image passes unless the rule has `notOlderThan`.
 */
export async function judgeSignatures(
  policy: SignaturePolicy,
  image: JudgedImage,
  attachments: AttachmentSource,
  options: JudgeOptions = {},
): Promise<Judgement> {
  const rule = ruleFor(policy, image.name)
  if (rule.require === 'refuse') return judgement(rule, false, 'no rule allows it', [])
  if (rule.require.length === 0) return judgement(rule, true, 'no signature is required', [])
  return new Judging(rule, rule.require, image, attachments, options).judge()
}

/** Throws UNTRUSTED for an image that may not be used. `name` is as the user wrote it. */
export function requireTrusted({ allowed, rule, reason }: Judgement, name: string): void {
  if (allowed) return
  throw new BaleError('UNTRUSTED', `${name} is refused by the rule ${rule.name} (${rule.place}): ${reason}`, {
    details: { rule: rule.name, place: rule.place },
  })
}

class Judging {
  readonly #rule: PolicyRule
  readonly #groups: readonly (readonly TrustedSigner[])[]
  readonly #image: JudgedImage
  readonly #attachments: AttachmentSource
  readonly #options: JudgeOptions
  readonly #verifications: Verification[] = []

  constructor(
    rule: PolicyRule,
    groups: readonly (readonly TrustedSigner[])[],
    image: JudgedImage,
    attachments: AttachmentSource,
    options: JudgeOptions,
  ) {
    this.#rule = rule
    this.#groups = groups
    this.#image = image
    this.#attachments = attachments
    this.#options = options
  }

  async judge(): Promise<Judgement> {
    const { descriptor, containedIn } = this.#image
    const own = await this.#objection(descriptor)
    if (own === undefined) return this.#judgeChildren(descriptor)
    if (containedIn === undefined || this.#rule.children || !(await this.#contains(containedIn, descriptor)))
      return this.#judgement(false, own)
    const ofIndex = await this.#objection(containedIn)
    if (ofIndex === undefined) return this.#judgement(true, `its index is ${this.#signedBy()}`)
    return this.#judgement(false, `${own}; nor is its index: ${ofIndex}`)
  }

  async #judgeChildren(descriptor: Descriptor): Promise<Judgement> {
    const signed = this.#judgement(true, this.#signedBy())
    if (!this.#rule.children || !isIndexType(descriptor.mediaType)) return signed
    const images = await this.#imagesIn(descriptor)
    if (images.length > MOST_CHILDREN)
      return this.#judgement(false, `its index has ${images.length} images; at most ${MOST_CHILDREN} are looked at`)
    for (const child of images) {
      const objection = await this.#objection(child)
      if (objection !== undefined) return this.#judgement(false, `its image ${child.digest} is ${objection}`)
    }
    return this.#judgement(true, `${this.#signedBy()}, and so is each of its ${images.length} images`)
  }

  /** Why a digest is not signed as the rule requires; undefined when it is. */
  async #objection(subject: Descriptor): Promise<string | undefined> {
    const { notOlderThan, repository } = this.#rule
    const { clock = systemClock } = this.#options
    const since =
      notOlderThan && ('since' in notOlderThan ? notOlderThan.since : new Date(clock.now() - notOlderThan.days * DAY))
    const requirements = { signers: this.#groups.flat(), repository, notOlderThan: since }
    const options = { ...this.#options, repository: this.#image.name }
    const verification = await verifyImage(subject, this.#attachments, requirements, options)
    this.#verifications.push(verification)
    const by = new Set(verification.verified.flatMap((one) => one.by))
    const missing = this.#groups.find((group) => !group.some((signer) => by.has(signer)))
    return missing && `not signed by ${namesOf(missing)}: ${reasonOf(verification)}`
  }

  /** With those of indexes inside it. */
  async #imagesIn(descriptor: Descriptor, depth = DEEPEST): Promise<Descriptor[]> {
    const read = await readManifest(this.#attachments, descriptor, this.#options)
    const images = read.kind === 'index' ? imagesOf(read.index) : []
    const inside: Descriptor[] = []
    for (const image of images) {
      // Too many already: no use in reading on.
      if (images.length + inside.length > MOST_CHILDREN) break
      if (isIndexType(image.mediaType) && depth > 0) inside.push(...(await this.#imagesIn(image, depth - 1)))
    }
    return [...images, ...inside]
  }

  /** The caller's word is not enough: an index that somebody else signed must not speak for the image. */
  async #contains(index: Descriptor, image: Descriptor): Promise<boolean> {
    return (await this.#imagesIn(index)).some(({ digest }) => digest === image.digest)
  }

  #signedBy(): string {
    return `signed by ${this.#groups.map(namesOf).join(' and ')}`
  }

  #judgement(satisfied: boolean, reason: string): Judgement {
    return judgement(this.#rule, satisfied, reason, this.#verifications)
  }
}

function judgement(
  rule: PolicyRule,
  satisfied: boolean,
  reason: string,
  verifications: readonly Verification[],
): Judgement {
  return { allowed: satisfied || rule.level === 'warn', satisfied, rule, reason, verifications }
}

function namesOf(group: readonly TrustedSigner[]): string {
  return group.map(({ name }) => name).join(' or ')
}

function reasonOf({ verified, refused }: Verification): string {
  const [first] = refused
  if (first === undefined) return verified.length > 0 ? 'only others signed it' : 'no signature is attached'
  if (refused.length === 1) return `one does not count (${first.reason})`
  return `${refused.length} do not count (the first: ${first.reason})`
}
