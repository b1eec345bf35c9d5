import { createHash } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { BaleError, errnoOf, type OperationOptions } from '#base'
import { makeDirectory, namesIn, removeTree, writeFileAtomic } from '#host/file'
import { checkedManifest, type ImageSource, imagesOf, type RawManifest } from '#image'
import { type Digest, familiarName, hexOf, type Reference } from '#spec'
import type { StoredImage } from '#store'
import {
  type AttachmentSource,
  judgeSignatures,
  type PolicyRule,
  readSignaturePolicy,
  requireTrusted,
  ruleFor,
  type SignaturePolicy,
  withoutReferrers,
} from '#trust/signature'
import type { EngineContext } from '../context/context.ts'
import { openRegistry } from '../registries/open-registry.ts'

/**
 * Holds the policy of the configuration against images. What was admitted is remembered by digest, so that an image that
 * was judged when it came in can be used without its registry.
 */
export interface Admission {
  /** Before an image is pulled. Throws UNTRUSTED. */
  pulled(
    reference: Reference,
    found: RawManifest,
    repository: AttachmentSource,
    options: OperationOptions,
  ): Promise<void>
  /** Before an image of an archive is loaded; `names` are those that it has there. Throws UNTRUSTED. */
  loaded(
    names: readonly Reference[],
    found: RawManifest,
    archive: ImageSource,
    options: OperationOptions,
  ): Promise<void>
  /** An image that this machine has made. */
  made(digests: readonly Digest[]): Promise<void>
  /** Before anything is made of an image of the store. Throws UNTRUSTED. */
  used(image: StoredImage, options: OperationOptions): Promise<void>
}

/** The policy is read anew, so that a change of it counts at once. */
export async function readAdmission(context: EngineContext, path: string): Promise<Admission> {
  return createAdmission(context, await readPolicy(path))
}

async function readPolicy(path: string): Promise<SignaturePolicy> {
  try {
    return await readSignaturePolicy(path)
  } catch (error) {
    if (errnoOf(error) === undefined) throw error
    // Without its policy nothing is admitted: a file that was moved away must not open the gate.
    throw new BaleError('INVALID_ARGUMENT', `cannot read the signature policy ${path} (${errnoOf(error)})`, {
      cause: error,
    })
  }
}

function createAdmission(context: EngineContext, policy: SignaturePolicy): Admission {
  const records = createRecords(join(context.config.root, 'trust', 'admitted'), policy.digest)

  /** Judges an image by the rule for a name, and remembers for that rule what passed. */
  async function admit(
    name: Reference | undefined,
    found: RawManifest,
    attachments: AttachmentSource,
    { shown, signal, progress }: OperationOptions & { shown: string },
  ): Promise<void> {
    const image = { name, descriptor: found.descriptor }
    const judgement = await judgeSignatures(policy, image, attachments, { signal, clock: context.clock })
    requireTrusted(judgement, shown)
    const { rule, reason } = judgement
    if (!judgement.satisfied)
      progress?.({
        kind: 'warning',
        text: `${shown} would be refused by the rule ${rule.name} (${rule.place}): ${reason}`,
      })
    await records.add(digestsOf(found), rule.place)
  }

  return {
    pulled: (reference, found, repository, options) =>
      admit(reference, found, repository, { ...options, shown: familiarName(reference) }),
    async loaded(names, found, archive, options) {
      const attachments = withoutReferrers(archive)
      for (const name of names.length > 0 ? names : [undefined])
        await admit(name, found, attachments, {
          ...options,
          shown: name ? familiarName(name) : found.descriptor.digest,
        })
    },
    made: (digests) => records.add(digests, MADE_HERE),
    async used({ descriptor, repoDigests, names, id }, options) {
      const from = repoDigests[0]
      const name = from ?? names[0]
      const rule = ruleFor(policy, name)
      const since = canExpire(rule) ? context.clock.now() - DAY : 0
      if (await records.has(descriptor.digest, [MADE_HERE, rule.place], since)) return
      const shown = names[0] ? familiarName(names[0]) : id
      if (!from) {
        const found = { descriptor, bytes: await (await context.store()).manifest(descriptor) }
        return admit(name, found, NOTHING_ATTACHED, { ...options, shown })
      }
      await using repository = await openRegistry(context, from)
      const found = await repository.resolve(from.digest, { signal: options.signal })
      await admit(from, found, repository, { ...options, shown })
    },
  }
}

const DAY = 86_400_000

/** Of records of images that no rule has to judge. */
const MADE_HERE = 'made here'

/** Whether what passed a rule may not pass it some days later. */
function canExpire({ notOlderThan, require }: PolicyRule): boolean {
  if (notOlderThan && 'days' in notOlderThan) return true
  return require !== 'refuse' && require.flat().some(({ kind }) => kind === 'certificate')
}

/** An image that is in no registry has no signatures: only a rule that requires none lets it pass. */
const NOTHING_ATTACHED = withoutReferrers({
  resolve: async (name) => {
    throw new BaleError('MANIFEST_NOT_FOUND', `nothing is attached to the image: ${name}`)
  },
  manifest: async ({ digest }) => {
    throw new BaleError('MANIFEST_NOT_FOUND', `no manifest has the digest ${digest}`)
  },
  blob: async ({ digest }) => {
    throw new BaleError('BLOB_NOT_FOUND', `no blob has the digest ${digest}`)
  },
})

/** With its images, of an index: their signature is that of the index, or they were looked at with it. */
function digestsOf(found: RawManifest): Digest[] {
  const read = checkedManifest(found)
  return [read.descriptor.digest, ...(read.kind === 'index' ? imagesOf(read.index).map(({ digest }) => digest) : [])]
}

/** Digests that rules of a policy admitted, as empty files; those of other policies go. */
function createRecords(directory: string, policy: Digest) {
  const own = join(directory, hexOf(policy))
  const pathOf = (digest: Digest, rule: string) =>
    join(own, `${hexOf(digest)}.${createHash('sha256').update(rule).digest('hex').slice(0, 16)}`)
  return {
    /** `since`: milliseconds since 1970; what was admitted before does not count. */
    async has(digest: Digest, rules: readonly string[], since: number): Promise<boolean> {
      const found = await Promise.all(rules.map((rule) => timeOf(pathOf(digest, rule))))
      return found.some((time) => time !== undefined && time >= since)
    },
    async add(digests: readonly Digest[], rule: string): Promise<void> {
      makeDirectory(own)
      for (const digest of digests) await writeFileAtomic(pathOf(digest, rule), '')
      for (const name of await namesIn(directory)) if (name !== hexOf(policy)) await removeTree(join(directory, name))
    },
  }
}

async function timeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).mtimeMs
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw error
  }
}
