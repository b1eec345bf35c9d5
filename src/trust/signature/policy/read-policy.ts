import * as v from 'valibot'
import { BaleError, isBaleError, nearest, printable } from '#base'
import { digestOf } from '#blob'
import type { Fault, Key, PlacedDocument } from '#trust/placed-document'
import { readTrustRoot } from '../bundle/index.ts'
import type { TrustedSigner, TrustRoot } from '../claim/index.ts'
import { loadSigner } from './load-signer.ts'
import type { PolicyRule, SignaturePolicy } from './policy.ts'
import { MEMBERS, POLICY, type PolicyContent, type RuleContent, type SignerContent } from './schema.ts'

/** Gives the content of a file that a policy names, by its path there. */
export type PolicyFiles = (path: string) => Promise<Uint8Array>

/**
 * Reads a policy that is in memory; `files` gives the keys, certificates and roots that it names. `name` stands for its path in
 * messages and places. INVALID_ARGUMENT lists all that is wrong.
 */
export async function parseSignaturePolicy(
  bytes: Uint8Array,
  name: string,
  files: PolicyFiles,
): Promise<SignaturePolicy> {
  const text = textOf(bytes)
  if (text === undefined) throw new BaleError('INVALID_ARGUMENT', `${name}:1:1: the file is not UTF-8`)
  const { faultOf, PlacedDocument } = await import('#trust/placed-document')
  const document = PlacedDocument.read(text, name)
  const parsed = v.safeParse(POLICY, document.value, { abortPipeEarly: true })
  if (!parsed.success) throw document.refuse(parsed.issues.map((issue) => faultOf(issue, unknownMember)))
  return new Loading(document, files, bytes).policy(parsed.output)
}

/** Turns what the file says into rules, and notes what is wrong with the files that it names. */
class Loading {
  readonly #document: PlacedDocument
  readonly #files: PolicyFiles
  readonly #faults: Fault[] = []
  readonly #contents: Uint8Array[]
  /** By path: several signers may come from one file. */
  readonly #read = new Map<string, Promise<Uint8Array>>()
  readonly #roots = new Map<string, Promise<TrustRoot>>()

  constructor(document: PlacedDocument, files: PolicyFiles, bytes: Uint8Array) {
    this.#document = document
    this.#files = files
    this.#contents = [bytes]
  }

  async policy({ rules, default: fallback }: PolicyContent): Promise<SignaturePolicy> {
    const loaded: PolicyRule[] = []
    for (const [at, one] of rules.entries())
      loaded.push(await this.#rule(one, ['rules', at], one.name ?? `rules[${at}]`))
    const rest = await this.#fallback(fallback)
    if (this.#faults.length > 0) throw this.#document.refuse(this.#faults)
    const digest = digestOf(this.#contents.map((one) => digestOf(one)).join('\n'))
    return { rules: loaded, fallback: rest, digest }
  }

  async #fallback(content: PolicyContent['default']): Promise<PolicyRule> {
    const { repository, level, children } = { repository: 'match', level: 'enforce', children: false } as const
    if (typeof content !== 'string') return this.#rule({ ...content, images: ['**'] }, ['default'], 'default')
    const require = content === 'refuse' ? content : []
    return {
      name: 'default',
      place: this.#document.placeOf(['default']),
      images: ['**'],
      require,
      repository,
      level,
      children,
    }
  }

  async #rule(content: RuleContent, path: readonly Key[], name: string): Promise<PolicyRule> {
    const { images, level, children, repository, 'not-older-than': notOlderThan } = content
    const require: TrustedSigner[][] = []
    for (const [at, { any, ...one }] of content.require.entries()) {
      const here = [...path, 'require', at]
      const group = any?.map((each, number) => ({ each, at: [...here, 'any', number] })) ?? [{ each: one, at: here }]
      const signers: TrustedSigner[] = []
      for (const { each, at: place } of group) signers.push(...(await this.#signer(each, place)))
      require.push(signers)
    }
    return {
      name,
      place: this.#document.placeOf(path),
      images,
      level,
      children,
      repository,
      require,
      ...(notOlderThan && { notOlderThan }),
    }
  }

  async #signer(content: SignerContent, path: readonly Key[]): Promise<TrustedSigner[]> {
    const [kind] = Object.keys(content).filter((name) => content[name as keyof SignerContent] !== undefined)
    try {
      return [await loadSigner(content, { bytes: (file) => this.#bytesOf(file), root: (file) => this.#rootOf(file) })]
    } catch (error) {
      if (!isBaleError(error)) throw error
      this.#faults.push({ keys: [...path, kind!], message: error.message })
      return []
    }
  }

  #bytesOf(path: string): Promise<Uint8Array> {
    return once(this.#read, path, async () => {
      const bytes = await this.#files(path).catch((error: unknown) => {
        const reason = isBaleError(error) ? error.message : ((error as { code?: string }).code ?? 'unknown')
        throw new BaleError(
          'INVALID_ARGUMENT',
          `cannot read ${printable(path, 200)}: ${reason === 'ENOENT' ? 'no such file' : reason}`,
          { cause: error },
        )
      })
      this.#contents.push(bytes)
      return bytes
    })
  }

  #rootOf(path: string): Promise<TrustRoot> {
    return once(this.#roots, path, async () => readTrustRoot(await this.#bytesOf(path), path))
  }
}

/** What was made for the path before, or what `make` gives. */
function once<T>(made: Map<string, Promise<T>>, path: string, make: () => Promise<T>): Promise<T> {
  const one = made.get(path) ?? make()
  made.set(path, one)
  return one
}

function unknownMember(keys: readonly Key[]): string {
  const name = String(keys.at(-1))
  if (MEMBERS.includes(name)) return 'has no place here'
  const meant = nearest(name, MEMBERS)
  return `unknown member${meant === undefined ? '' : `; did you mean ${meant}?`}`
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}
