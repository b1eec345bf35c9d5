import { BaleError, isBaleError } from '#base'
import { type Descriptor, type Digest, isDigest } from '#spec'
import { isForeign } from '../manifest/index.ts'
import type { ReplicationResult, TakenReplication } from '../meta/index.ts'
import { matchesPattern } from '../pattern/index.ts'
import type { End, Going } from './end.ts'
import { localEnd } from './local-end.ts'
import { queueAll } from './queue-all.ts'
import { remoteEnd } from './remote-end.ts'
import { replicateReferrer, replicateTag } from './replicate.ts'
import type { Rule } from './replication-settings.ts'
import { actorOf, isFollowingTag, isOwnTag, type RuleParts } from './rule-parts.ts'

type Outcome = Pick<ReplicationResult, 'next' | 'digest' | 'failure'>

/** Does one task. Throws what goes wrong. */
export async function perform(parts: RuleParts, task: TakenReplication, going: Going): Promise<Outcome> {
  const { rule, registry } = parts
  const { repository, reference } = task
  if (reference === '') {
    await queueAll(parts, repository, going)
    return { next: 'done' }
  }
  const isPush = rule.kept.direction === 'push'
  const named = rule.nameAt(repository)
  if ('objection' in named) throw new BaleError('INVALID_REFERENCE', named.objection)
  const target = named.name
  return await registry.use(isPush ? target : repository, async (opened) => {
    const remote = remoteEnd({ repository: opened, going, ...powersOf(parts, repository) })
    const here = isPush ? repository : target
    const release = isPush ? (digest: Digest) => checkRelease(parts, here, digest) : undefined
    const local = localEnd({ ...parts.local, repository: here, actor: actorOf(rule), going, release })
    const [from, to] = isPush ? [local, remote] : [remote, local]
    const { referrers } = rule.kept
    const replication = { from, to, going, referrers }
    if (isDigest(reference)) {
      if (!(await isWanted(parts, repository, reference))) return { next: 'forgotten' }
      await replicateReferrer(replication, reference)
      return { next: 'forgotten' }
    }
    if (!isOwnTag(rule, reference) && !(await follows(parts, here, reference))) {
      return { next: 'forgotten' }
    }
    const digest = await replicateTag(replication, reference)
    if (digest !== undefined) return { next: 'done', digest }
    return await replicateDeletion({ rule, from, to }, task)
  })
}

/** Gates hold for copies too, where others may have fewer of them. */
async function checkRelease({ local: { gate } }: RuleParts, repository: string, digest: Digest): Promise<void> {
  const release = await gate.judgeWhole(repository, digest)
  if (release.outcome !== 'allowed') throw release.refusal
}

function powersOf({ local: { meta }, rule }: RuleParts, repository: string) {
  const matches = (name: string) =>
    rule.kept.repositories.some((pattern) => matchesPattern(pattern, name)) &&
    !rule.kept.except.some((pattern) => matchesPattern(pattern, name))
  return {
    async near(digest: Digest): Promise<string[]> {
      const names = (await meta.repositoriesWith(digest, NEAR)).filter(matches)
      return names.flatMap((name) => {
        const there = rule.nameAt(name)
        return 'name' in there ? [there.name] : []
      })
    },
    isOptional: async (descriptor: Descriptor) =>
      rule.kept.direction === 'push' &&
      isForeign(descriptor) &&
      (await meta.findBlob(repository, descriptor.digest)) === undefined,
  }
}

/** A base image may be in very many. */
const NEAR = 100

/** Whether a manifest here belongs to an image with a tag that the rule is about. */
async function isWanted({ local: { meta }, rule }: RuleParts, repository: string, digest: Digest): Promise<boolean> {
  const tags = await meta.tagsOver(repository, digest, MOST_TAGS)
  return tags.some((tag) => isOwnTag(rule, tag))
}

const MOST_TAGS = 1000

/** Whether a tag such as `sha256-….sig` is that of an image that is replicated. */
async function follows(parts: RuleParts, here: string, tag: string): Promise<boolean> {
  const subject = isFollowingTag(parts.rule, tag) ? subjectOfTag(tag) : undefined
  if (subject === undefined) return false
  if (parts.rule.kept.direction === 'push') return await isWanted(parts, here, subject)
  return (await parts.local.meta.findManifest(here, { digest: subject })) !== undefined
}

function subjectOfTag(tag: string): Digest | undefined {
  const digest = `sha256:${/^sha256-([0-9a-f]{64})/.exec(tag)?.[1]}`
  return isDigest(digest) ? digest : undefined
}

/** What somebody else has put there stays. */
async function replicateDeletion(
  { rule, from, to }: { rule: Rule; from: End; to: End },
  { reference, digest }: TakenReplication,
): Promise<Outcome> {
  if (!rule.kept.deletes || digest === undefined) return { next: 'forgotten' }
  await from.checkGone(reference)
  const there = await to.current(reference)
  if (there !== undefined && there !== digest) {
    return { next: 'failed', failure: `not deleted: ${reference} is ${there} there, and not what was replicated` }
  }
  try {
    if (there !== undefined) await to.deleteTag(reference)
  } catch (error) {
    // Distribution takes the tag for a digest, which it is not.
    if (!isBaleError(error, 'REGISTRY_REFUSED') && !isBaleError(error, 'DIGEST_MISMATCH')) throw error
    return { next: 'failed', failure: `not deleted: the registry deletes no tag alone: ${error.message}` }
  }
  return { next: 'forgotten' }
}
