import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeIndex, putImage, randomImage } from '#image'
import { type Descriptor, parseReference } from '#spec'
import { createMemoryAttachments } from '../attachment/contract.ts'
import { attach } from '../attachment/index.ts'
import { generateKeys, readSigningKey, type SigningKey } from '../key/index.ts'
import { createSigner } from '../sign/index.ts'
import { attachSimpleSignature } from '../simple/index.ts'
import { type Judgement, judgeSignatures, requireTrusted, type SignaturePolicy } from './index.ts'
import { parseSignaturePolicy } from './read-policy.ts'

const WEB = parseReference('registry.example/team/web')
const NOW = Date.parse('2026-05-01T00:00:00Z')
const clock = { now: () => NOW, sleep: async () => undefined }

interface Keys {
  key: SigningKey
  pem: string
}

const [ann, bob, eve] = [await newKey(), await newKey(), await newKey()]

async function newKey(): Promise<Keys> {
  const { privateKey, publicKey } = await generateKeys('ed25519')
  return { key: await readSigningKey(privateKey), pem: publicKey }
}

function policyOf(text: string): Promise<SignaturePolicy> {
  const files: Record<string, string> = { 'ann.pub': ann.pem, 'bob.pub': bob.pem }
  return parseSignaturePolicy(Buffer.from(text), 'policy.yaml', async (path) => Buffer.from(files[path]!))
}

/** One rule for all below `team`, with these lines. */
function rule(...lines: readonly string[]): Promise<SignaturePolicy> {
  return policyOf(
    `version: 1\ndefault: allow\nrules:\n  - images: [registry.example/team/**]\n${lines.map((line) => `    ${line}\n`).join('')}`,
  )
}

const place = createMemoryAttachments()
let seed = 0

async function newImage(...signers: readonly Keys[]): Promise<Descriptor> {
  const image = await randomImage({ seed: ++seed })
  await putImage(place, image)
  for (const signer of signers) await sign(image.manifestDescriptor, signer)
  return image.manifestDescriptor
}

async function newIndex(images: readonly Descriptor[], ...signers: readonly Keys[]): Promise<Descriptor> {
  const index = makeIndex(images.map((one, at) => ({ ...one, platform: { os: 'linux', architecture: `cpu${at}` } })))
  await place.putManifest(index.descriptor, index.bytes)
  for (const signer of signers) await sign(index.descriptor, signer)
  return index.descriptor
}

async function sign(subject: Descriptor, { key }: Keys, created?: number): Promise<void> {
  await attach(place, createSigner(key).sign(subject, { repository: WEB, created }))
}

function judge(
  policy: SignaturePolicy,
  descriptor: Descriptor,
  containedIn?: Descriptor,
  name = WEB,
): Promise<Judgement> {
  return judgeSignatures(policy, { name, descriptor, containedIn }, place, { clock })
}

async function answer(policy: SignaturePolicy, descriptor: Descriptor, containedIn?: Descriptor): Promise<string> {
  const { allowed, satisfied, reason } = await judge(policy, descriptor, containedIn)
  assert.equal(allowed, satisfied)
  return `${satisfied ? 'yes' : 'no'}: ${reason}`
}

test('an image must be signed by each signer that a rule requires', async () => {
  const both = await rule('require: [{ key: ann.pub }, { key: bob.pub }]')
  assert.equal(await answer(both, await newImage(ann, bob)), 'yes: signed by ann.pub and bob.pub')
  assert.equal(await answer(both, await newImage(ann)), 'no: not signed by bob.pub: only others signed it')
  assert.equal(await answer(both, await newImage()), 'no: not signed by ann.pub: no signature is attached')
  assert.match(
    await answer(both, await newImage(eve)),
    /^no: not signed by ann\.pub: one does not count \(was not made with a trusted key/,
  )
  assert.match(
    await answer(both, await newImage(eve, await newKey())),
    /^no: .*: 2 do not count \(the first: was not made/,
  )
})

test('one of several is enough where a rule says so, in whatever form', async () => {
  const either = await rule('require:', '  - any: [{ key: ann.pub }, { key: bob.pub }]')
  assert.equal(await answer(either, await newImage(bob)), 'yes: signed by ann.pub or bob.pub')
  assert.match(await answer(either, await newImage(eve)), /^no: not signed by ann\.pub or bob\.pub: /)
  const simple = await newImage()
  await attachSimpleSignature(place, createSigner(ann.key).signSimple(simple, { repository: WEB }))
  assert.match(await answer(either, simple), /^yes/)
})

test('the first rule that fits decides, and the default about all others', async () => {
  const policy = await policyOf(`
version: 1
default: refuse
rules:
  - name: web may
    images: [registry.example/team/web]
    require: []
  - images: ['registry.example/team/*', docker.io/library/debian]
    require: [{ key: ann.pub }]
`)
  const image = await newImage()
  const of = async (name: string) => {
    const { satisfied, rule: found, reason } = await judge(policy, image, undefined, parseReference(name))
    return [satisfied, found.name, found.place, reason]
  }
  assert.deepEqual(await of('registry.example/team/web:1'), [
    true,
    'web may',
    'policy.yaml:5:5',
    'no signature is required',
  ])
  assert.deepEqual((await of('registry.example/team/api')).slice(0, 3), [false, 'rules[1]', 'policy.yaml:8:5'])
  assert.deepEqual((await of('debian')).slice(0, 2), [false, 'rules[1]'])
  assert.deepEqual(await of('registry.example/team/a/b'), [false, 'default', 'policy.yaml:3:10', 'no rule allows it'])
  assert.deepEqual(await of('evil.example/registry.example/team/web'), [
    false,
    'default',
    'policy.yaml:3:10',
    'no rule allows it',
  ])
  const unnamed = await judgeSignatures(policy, { name: undefined, descriptor: image }, place, { clock })
  assert.deepEqual([unnamed.allowed, unnamed.rule.name], [false, 'default'])
})

test('nothing is read where nothing is required', async () => {
  const policy = await policyOf('version: 1\ndefault: allow')
  const image = await newImage()
  const closed = { ...place, referrers: () => assert.fail('read'), resolve: () => assert.fail('read') }
  const { allowed, verifications } = await judgeSignatures(policy, { name: WEB, descriptor: image }, closed)
  assert.deepEqual([allowed, verifications], [true, []])
})

test('a rule that warns lets through and says what it would refuse', async () => {
  const policy = await rule('level: warn', 'require: [{ key: ann.pub }]')
  const judged = await judge(policy, await newImage())
  assert.deepEqual(
    [judged.allowed, judged.satisfied, judged.reason],
    [true, false, 'not signed by ann.pub: no signature is attached'],
  )
  requireTrusted(judged, 'web')
  const strict = await judge(await rule('require: [{ key: ann.pub }]'), await newImage())
  assert.throws(() => requireTrusted(strict, 'registry.example/team/web:1'), {
    code: 'UNTRUSTED',
    message:
      'registry.example/team/web:1 is refused by the rule rules[0] (policy.yaml:4:5): not signed by ann.pub: no signature is attached',
  })
})

test('an image of a signed index counts when it is asked for with that index, and only with one that contains it', async () => {
  const policy = await rule('require: [{ key: ann.pub }]')
  const [one, two] = [await newImage(), await newImage()]
  const index = await newIndex([one, two], ann)
  assert.equal(await answer(policy, index), 'yes: signed by ann.pub')
  assert.match(await answer(policy, one), /^no: not signed by ann\.pub: no signature is attached$/)
  assert.equal(await answer(policy, one, index), 'yes: its index is signed by ann.pub')
  assert.equal(await answer(policy, await newImage(ann), index), 'yes: signed by ann.pub')
  assert.match(await answer(policy, await newImage(), index), /^no: not signed by ann\.pub: no signature is attached$/)
  const unsigned = await newIndex([one])
  assert.match(
    await answer(policy, one, unsigned),
    /^no: .*; nor is its index: not signed by ann\.pub: no signature is attached$/,
  )
})

test('an index whose image is unsigned is refused where each image must be signed', async () => {
  const policy = await rule('children: true', 'require: [{ key: ann.pub }]')
  const [signed, unsigned] = [await newImage(ann), await newImage()]
  assert.equal(
    await answer(policy, await newIndex([signed, await newImage(ann)], ann)),
    'yes: signed by ann.pub, and so is each of its 2 images',
  )
  const index = await newIndex([signed, unsigned], ann)
  assert.equal(
    await answer(policy, index),
    `no: its image ${unsigned.digest} is not signed by ann.pub: no signature is attached`,
  )
  assert.equal(await answer(await rule('require: [{ key: ann.pub }]'), index), 'yes: signed by ann.pub')
  assert.match(await answer(policy, unsigned, index), /^no: not signed by ann\.pub: no signature is attached$/)
  assert.match(await answer(policy, await newIndex([signed])), /^no: not signed by ann\.pub/)
  const nested = await newIndex([await newIndex([unsigned], ann)], ann)
  assert.match(await answer(policy, nested), /^no: its image sha256:\w+ is not signed by ann\.pub/)
  const many = await newIndex(Array<Descriptor>(65).fill(signed), ann)
  assert.equal(await answer(policy, many), 'no: its index has 65 images; at most 64 are looked at')
})

test('a signature moved to another repository counts only where a rule allows it', async () => {
  const image = await newImage(ann)
  const moved = async (...lines: readonly string[]) => {
    const policy = await rule(...lines, 'require: [{ key: ann.pub }]')
    const { satisfied, reason } = await judge(policy, image, undefined, parseReference('registry.example/team/copy'))
    return `${satisfied}: ${reason}`
  }
  assert.equal(
    await moved(),
    'false: not signed by ann.pub: one does not count (was made for registry.example/team/web, not for registry.example/team/copy)',
  )
  assert.equal(await moved('repository: any'), 'true: signed by ann.pub')
})

test('S04 a tag rolled back to an older signed image is refused by a rule of age alone', async () => {
  const image = await newImage()
  await sign(image, ann, NOW / 1000 - 40 * 86_400)
  const aged = async (...lines: readonly string[]) =>
    (await answer(await rule(...lines, 'require: [{ key: ann.pub }]'), image)).slice(0, 3)
  assert.equal(await aged(), 'yes')
  assert.equal(await aged('not-older-than: 41d'), 'yes')
  assert.equal(await aged('not-older-than: 39d'), 'no:')
  assert.equal(await aged('not-older-than: 2026-03-22'), 'yes')
  assert.equal(await aged('not-older-than: 2026-03-22T00:00:01Z'), 'no:')
})

test('a policy that changes, or a key of it, has another digest', async () => {
  const text = 'version: 1\ndefault: { require: [{ key: a.pub }] }'
  const of = (pem: string, more = '') =>
    parseSignaturePolicy(Buffer.from(text + more), 'p', async () => Buffer.from(pem))
  const first = await of(ann.pem)
  assert.equal((await of(ann.pem)).digest, first.digest)
  assert.notEqual((await of(bob.pem)).digest, first.digest)
  assert.notEqual((await of(ann.pem, '\n# x')).digest, first.digest)
})
