import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { BaleError, errnoOf, type OperationOptions } from '#base'
import { digestOf } from '#blob'
import { makeDirectory, namesIn, removeTree, writeFileAtomic } from '#host/file'
import { checkedManifest, type ImageSource, imagesOf, type RawManifest } from '#image'
import { type Descriptor, type Digest, familiarName, hexOf, type Reference } from '#spec'
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
  /**
   * Before anything is made of an image of the store: it counts as signed by its own signature, and by that of the index that it was
   * pulled with. Throws UNTRUSTED.
   */
  used(image: StoredImage, options: OperationOptions): Promise<void>
}

/** The policy is read anew for each operation, so that a change of it counts at once. */
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
    { admits, ...image }: Judged,
    attachments: AttachmentSource,
    { shown, signal, progress }: OperationOptions & { shown: string },
  ): Promise<void> {
    const judgement = await judgeSignatures(policy, { name, ...image }, attachments, { signal, clock: context.clock })
    requireTrusted(judgement, shown)
    const { rule, reason } = judgement
    if (!judgement.satisfied)
      progress?.({
        kind: 'warning',
        text: `${shown} would be refused by the rule ${rule.name} (${rule.place}): ${reason}`,
      })
    await records.add(admits, rule.place)
  }

  return {
    pulled: (reference, found, repository, options) =>
      admit(reference, allOf(found), repository, { ...options, shown: familiarName(reference) }),
    async loaded(names, found, archive, options) {
      const attachments = withoutReferrers(archive)
      for (const name of names.length > 0 ? names : [undefined])
        await admit(name, allOf(found), attachments, {
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
        return admit(name, { descriptor, admits: [descriptor.digest] }, NOTHING_ATTACHED, { ...options, shown })
      }
      await using repository = await openRegistry(context, from)
      const found = await repository.resolve(from.digest, { signal: options.signal })
      await admit(from, imageOf(found, descriptor), repository, { ...options, shown })
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

/** What is judged, and the digests that are admitted when it passes. */
interface Judged {
  descriptor: Descriptor
  containedIn?: Descriptor
  admits: readonly Digest[]
}

/** An index with its images: their signature is that of the index, or they are judged with it. */
function allOf(found: RawManifest): Judged {
  const read = checkedManifest(found)
  const images = read.kind === 'index' ? imagesOf(read.index) : []
  return { descriptor: read.descriptor, admits: [read.descriptor, ...images].map(({ digest }) => digest) }
}

/**
 * One image of what a registry has: its own signature counts, and that of the index which lists it. The store may have the image
 * with another manifest, which the registry does not know: then that of the registry is judged.
 */
function imageOf(found: RawManifest, { mediaType, digest, size }: Descriptor): Judged {
  const all = allOf(found)
  const isPart = digest !== all.descriptor.digest && all.admits.includes(digest)
  if (isPart) return { descriptor: { mediaType, digest, size }, containedIn: all.descriptor, admits: [digest] }
  return { ...all, admits: [...all.admits, digest] }
}

/** Digests that rules of a policy admitted, as empty files; those of other policies go. */
function createRecords(directory: string, policy: Digest) {
  const own = join(directory, hexOf(policy))
  const pathOf = (digest: Digest, rule: string) => join(own, `${hexOf(digest)}.${hexOf(digestOf(rule)).slice(0, 16)}`)
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
