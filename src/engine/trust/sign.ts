import { BaleError, type OperationOptions, printable, table } from '#base'
import { checkedManifest, imagesOf, type ReadManifest, readManifest } from '#image'
import {
  type Descriptor,
  type Digest,
  familiarName,
  parseReference,
  parseStrictJson,
  type Reference,
  withDefaultTag,
} from '#spec'
import type { Repository } from '#transport'
import {
  type AttachmentTree,
  attach,
  attachSimpleSignature,
  createSigner,
  listAttachments,
  readSigningKey,
  type Signer,
} from '#trust/signature'
import type { EngineContext } from '../context/context.ts'
import { openRegistry } from '../registries/open-registry.ts'
import { readGiven } from './read-given.ts'

/** A private key, and how it is opened. */
export interface KeyOptions {
  /** Path of a PEM file, or `env://NAME` for one in a variable of the environment. */
  key: string
  /** Of an encrypted key. */
  password?: string
}

/** What is signed, and how. */
export interface SignImageOptions extends OperationOptions, KeyOptions {
  /** Parts of what is signed, for those who verify. */
  annotations?: Readonly<Record<string, string>>
  /** `bundle` by default; `simple` is the form that cosign wrote before its version 3. */
  form?: 'bundle' | 'simple'
  /** Of an index, its images as well. */
  recursive?: boolean
}

/** What is said of an image, and by whom. */
export interface AttestOptions extends OperationOptions, KeyOptions {
  /** A word (`cyclonedx`, `spdx`, `slsaprovenance1`) or a URI. */
  type: string
  /** Path of a JSON document. */
  predicate: string
}

/** What was signed. */
export interface SignedImage {
  name: string
  digest: Digest
}

/** Signs what a name refers to in its registry now, by digest, and puts the signature beside it. */
export async function signImage(
  context: EngineContext,
  text: string,
  options: SignImageOptions,
): Promise<SignedImage[]> {
  const signer = await openSigner(context, options)
  await using found = await openNamed(context, text, { ...options, writing: true })
  const { reference, repository, target } = found
  const subjects = options.recursive ? await withImages(repository, target, options) : [target.descriptor]
  const asked = {
    repository: reference,
    annotations: options.annotations,
    created: context.config.sourceDateEpoch ?? nowOf(context),
  }
  for (const subject of subjects) {
    if (options.form === 'simple')
      await attachSimpleSignature(repository, signer.signSimple(subject, asked), { signal: options.signal })
    else await attach(repository, signer.sign(subject, asked), { signal: options.signal })
  }
  return subjects.map(({ digest }) => ({ name: familiarName(reference), digest }))
}

const nowOf = ({ clock }: EngineContext) => Math.floor(clock.now() / 1000)

/** Predicates that people name by a word. Source: cosign, `attest --type`. */
const PREDICATES = table<string>({
  cyclonedx: 'https://cyclonedx.org/bom',
  spdx: 'https://spdx.dev/Document',
  spdxjson: 'https://spdx.dev/Document',
  slsaprovenance: 'https://slsa.dev/provenance/v0.2',
  slsaprovenance1: 'https://slsa.dev/provenance/v1',
  link: 'https://in-toto.io/Link/v1',
  vuln: 'https://cosign.sigstore.dev/attestation/vuln/v1',
  openvex: 'https://openvex.dev/ns',
})

/** The URI of a type of predicate. Throws INVALID_ARGUMENT. */
export function predicateTypeOf(type: string): string {
  const known = PREDICATES[type]
  if (known !== undefined) return known
  if (URL.canParse(type)) return type
  throw new BaleError('INVALID_ARGUMENT', `not a type of predicate: ${printable(type)}`, {
    hint: `a URI, or one of ${Object.keys(PREDICATES).join(', ')}`,
  })
}

const PREDICATE_LIMIT = 32 * 1024 * 1024

/** Signs a document about what a name refers to in its registry now, and puts it beside that. */
export async function attestImage(context: EngineContext, text: string, options: AttestOptions): Promise<SignedImage> {
  const predicateType = predicateTypeOf(options.type)
  const { predicate: path } = options
  const bytes = await readGiven(path, PREDICATE_LIMIT)
  const predicate = parseStrictJson(bytes, { limit: PREDICATE_LIMIT, what: path, code: 'INVALID_ARGUMENT' })
  const signer = await openSigner(context, options)
  await using found = await openNamed(context, text, { ...options, writing: true })
  const { reference, repository, target } = found
  const asked = { repository: reference, created: context.config.sourceDateEpoch ?? nowOf(context) }
  await attach(repository, signer.attest(target.descriptor, predicateType, predicate, asked), {
    signal: options.signal,
  })
  return { name: familiarName(reference), digest: target.descriptor.digest }
}

/** What is attached to what a name refers to in its registry. Nothing of it is verified. */
export async function attachmentsOf(
  context: EngineContext,
  text: string,
  options: OperationOptions = {},
): Promise<AttachmentTree> {
  await using found = await openNamed(context, text, options)
  return await listAttachments(found.target.descriptor, found.repository, { signal: options.signal })
}

const VARIABLE = 'env://'

async function openSigner({ config }: EngineContext, { key, password }: KeyOptions): Promise<Signer> {
  if (!key.startsWith(VARIABLE))
    return createSigner(await readSigningKey((await readGiven(key, KEY_LIMIT)).toString(), { password, what: key }))
  const name = key.slice(VARIABLE.length)
  const pem = config.environment[name]
  if (pem === undefined)
    throw new BaleError('INVALID_ARGUMENT', `the environment has no variable ${printable(name)} with a private key`)
  return createSigner(await readSigningKey(pem, { password, what: `the variable ${name}` }))
}

const KEY_LIMIT = 1024 * 1024

/** What a name refers to in its registry. */
interface Named extends AsyncDisposable {
  readonly reference: Reference
  readonly repository: Repository
  readonly target: ReadManifest
}

const REGISTRY = /^docker:\/\//

/** Opens a name of a registry, which may begin with `docker://`. */
export async function openNamed(
  context: EngineContext,
  text: string,
  { writing = false, signal }: OperationOptions & { writing?: boolean },
): Promise<Named> {
  const name = text.replace(REGISTRY, '')
  const reference = withDefaultTag(parseReference(name))
  const repository = await openRegistry(context, reference, { typed: name, writing })
  const close = () => repository[Symbol.asyncDispose]()
  try {
    const target = checkedManifest(await repository.resolve(reference.digest ?? reference.tag, { signal }))
    return { reference, repository, target, [Symbol.asyncDispose]: close }
  } catch (error) {
    await close()
    throw error
  }
}

async function withImages(
  repository: Repository,
  target: ReadManifest,
  options: OperationOptions,
): Promise<Descriptor[]> {
  const children = target.kind === 'index' ? imagesOf(target.index) : []
  const inside: Descriptor[] = []
  for (const child of children)
    inside.push(
      ...(await withImages(repository, await readManifest(repository, child, { signal: options.signal }), options)),
    )
  return [target.descriptor, ...inside]
}
