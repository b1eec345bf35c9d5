import * as v from 'valibot'
import { BaleError, isBaleError, nearest, printable } from '#base'
import { digestOf } from '#blob'
import type { TrustedSigner } from '../claim/index.ts'
import { loadSigner } from './load-signer.ts'
import type { PlacedDocument, Problem, Step } from './placed-document.ts'
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
  if (text === undefined) throw refusal([`${name}:1:1: the file is not UTF-8`])
  const { readDocument } = await import('./placed-document.ts')
  const document = readDocument(text)
  if (document.problems.length > 0) throw refusal(document.problems.map((problem) => `${name}:${problem}`))
  const parsed = v.safeParse(POLICY, document.value, { abortPipeEarly: true })
  if (!parsed.success) throw refusal(linesOf(parsed.issues.map(problemOf), document, name))
  return new Loading(document, name, files, bytes).policy(parsed.output)
}

/** Turns what the file says into rules, and notes what is wrong with the files that it names. */
class Loading {
  readonly #document: PlacedDocument
  readonly #name: string
  readonly #files: PolicyFiles
  readonly #problems: Problem[] = []
  readonly #contents: Uint8Array[]

  constructor(document: PlacedDocument, name: string, files: PolicyFiles, bytes: Uint8Array) {
    this.#document = document
    this.#name = name
    this.#files = files
    this.#contents = [bytes]
  }

  async policy({ rules, default: fallback }: PolicyContent): Promise<SignaturePolicy> {
    const loaded: PolicyRule[] = []
    for (const [at, one] of rules.entries())
      loaded.push(await this.#rule(one, ['rules', at], one.name ?? `rules[${at}]`))
    const rest = await this.#fallback(fallback)
    if (this.#problems.length > 0) throw refusal(linesOf(this.#problems, this.#document, this.#name))
    const digest = digestOf(this.#contents.map((one) => digestOf(one)).join('\n'))
    return { rules: loaded, fallback: rest, digest }
  }

  async #fallback(content: PolicyContent['default']): Promise<PolicyRule> {
    const { repository, level, children } = { repository: 'match', level: 'enforce', children: false } as const
    if (typeof content !== 'string') return this.#rule({ ...content, images: ['**'] }, ['default'], 'default')
    const require = content === 'refuse' ? content : []
    return { name: 'default', place: this.#place(['default']), images: ['**'], require, repository, level, children }
  }

  async #rule(content: RuleContent, path: readonly Step[], name: string): Promise<PolicyRule> {
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
      place: this.#place(path),
      images,
      level,
      children,
      repository,
      require,
      ...(notOlderThan && { notOlderThan }),
    }
  }

  async #signer(content: SignerContent, path: readonly Step[]): Promise<TrustedSigner[]> {
    const [kind] = Object.keys(content).filter((name) => content[name as keyof SignerContent] !== undefined)
    try {
      return [await loadSigner(content, (file) => this.#read(file))]
    } catch (error) {
      if (!isBaleError(error)) throw error
      this.#problems.push({ path: [...path, kind!], message: error.message })
      return []
    }
  }

  async #read(path: string): Promise<Uint8Array> {
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
  }

  #place(path: readonly Step[]): string {
    const { line, column } = this.#document.placeOf(path)
    return `${this.#name}:${line}:${column}`
  }
}

function problemOf(issue: v.BaseIssue<unknown>): Problem {
  const path = (issue.path ?? []).map(({ key }) => key as Step)
  const isMember = issue.path?.at(-1)?.origin === 'key'
  if (issue.type !== 'strict_object' || !isMember) return { path, message: issue.message }
  if (issue.expected !== 'never') return { path, isMember, message: 'is missing' }
  const name = String(path.at(-1))
  if (MEMBERS.includes(name)) return { path, isMember, message: 'has no place here' }
  const meant = nearest(name, MEMBERS)
  return { path, isMember, message: `unknown member${meant === undefined ? '' : `; did you mean ${meant}?`}` }
}

/** In the order of the file. */
function linesOf(problems: readonly Problem[], { placeOf }: PlacedDocument, name: string): string[] {
  return problems
    .map((problem) => ({ ...problem, ...placeOf(problem.path, problem.isMember) }))
    .sort((one, other) => one.line - other.line || one.column - other.column)
    .map(({ path, message, line, column }) => {
      const place = `${name}:${line}:${column}`
      return path.length === 0 ? `${place}: ${message}` : `${place}: ${written(path)}: ${message}`
    })
}

/** `rules[0].require[1].key`. */
function written(path: readonly Step[]): string {
  const steps = path.map((step, at) => {
    if (typeof step === 'number') return `[${step}]`
    return at === 0 ? printable(step, 64) : `.${printable(step, 64)}`
  })
  return steps.join('')
}

/** One mistake of notation makes many. */
const MOST_LINES = 50

function refusal(lines: readonly string[]): BaleError {
  const more = lines.length > MOST_LINES ? [`and ${lines.length - MOST_LINES} more`] : []
  return new BaleError('INVALID_ARGUMENT', [...lines.slice(0, MOST_LINES), ...more].join('\n'))
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}
