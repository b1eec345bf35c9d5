import { stat } from 'node:fs/promises'
import { BaleError, type Clock, createLimiter, errnoOf, isBaleError } from '#base'
import type { Digest } from '#spec'
import { inTurn, type MetaStore, type Unmatched } from '../meta/index.ts'
import type { Observe } from '../operation/index.ts'
import type { Confinement } from './confinement.ts'
import { MatchProcess } from './match-process.ts'

/** Matches inventories with the advisories of now. Disposing it ends what runs. */
interface Matching extends AsyncDisposable {
  /** Begins to match what has no result by the advisories of now, if there may be any. A slow match does not hold up the next round. */
  round(): Promise<void>
  /** Matches one whose inventory has just been taken, before all others. Nothing happens without advisories. */
  matchNow(digest: Digest): Promise<void>
}

interface MatchingParts {
  meta: Pick<MetaStore, 'listUnmatched' | 'putResults' | 'noteFindings' | 'takeTurn' | 'endTurn'>
  /** Path of the bundle. */
  advisories: string
  confinement: Confinement
  memory: number
  clock: Clock
  report: (failure: unknown, what: string) => void
  observe: Observe | undefined
  program?: string | undefined
}

/** A bundle in use. */
interface Opened {
  /** That of the file. */
  identity: string
  /** Sorts as bundles follow each other: when it was made, and the digest of its content. */
  version: string
  process: MatchProcess
}

interface Result {
  result: Parameters<MetaStore['putResults']>[0][number]
  /** Of its findings. */
  keys: string[]
}

interface Failure {
  failure: unknown
}

/** A page takes some hundred kilobytes of memory. */
const PAGE = 50
/** For what other processes scanned and did not match. */
const AGAIN_AFTER = 60_000
const TURN_TAKEN = 10_000
/** The process takes some 200 MB. */
const IDLE = 60_000
const MOST_KEYS = 100_000
const KEYS_AT_ONCE = 1000

export function createMatching(parts: MatchingParts): Matching {
  const { meta, advisories, clock, report, observe } = parts
  const stopping = new AbortController()
  const { signal } = stopping
  /** One inventory after the other, whoever wants it matched. */
  const inOrder = createLimiter(1)
  const noted = new Set<string>()
  /** Images whose inventory the process failed to match with the bundle of now. */
  const hopeless = new Set<Digest>()
  let opened: Opened | undefined
  /** Of the bundle that was open last: finding that nothing is to be done needs no process. */
  let known: Pick<Opened, 'identity' | 'version'> | undefined
  let passed: { identity: string | undefined; until: number } = { identity: undefined, until: 0 }
  let isMissing = false
  let running: Promise<void> | undefined
  let idle: NodeJS.Timeout | undefined

  /** The bundle as it is now; undefined when there is none. To be called in order. */
  async function current(): Promise<Opened | undefined> {
    const identity = await identityOf(advisories)
    if (opened && (opened.process.isOver || opened.identity !== identity)) await close()
    if (identity === undefined) return undefined
    opened ??= await open(identity)
    clearTimeout(idle)
    idle = setTimeout(() => void inOrder(close), IDLE).unref()
    return opened
  }

  async function open(identity: string): Promise<Opened> {
    const process = await MatchProcess.start({ ...parts, signal })
    const { version: digest, created } = process.opened
    const version = `${created} ${digest}`
    if (version !== known?.version) {
      hopeless.clear()
      observe?.({ kind: 'advisories-opened', created: Date.parse(created) })
    }
    known = { identity, version }
    return { ...known, process }
  }

  async function close(): Promise<void> {
    const ended = opened
    opened = undefined
    await ended?.process[Symbol.asyncDispose]()
  }

  /** Undefined when there is another bundle than of that version by now, or none. A failure is of this inventory alone. */
  async function match({ inventory, ...of }: Unmatched, version: string): Promise<Result | Failure | undefined> {
    return await inOrder(async () => {
      const bundle = await current()
      if (bundle?.version !== version) return undefined
      try {
        const { bytes, keys } = await bundle.process.match(inventory, new Date(clock.now()).toISOString().slice(0, 10))
        return { result: { ...of, advisories: version, bytes }, keys }
      } catch (failure) {
        // Of the bundle, and not of the image: all others would fail as well.
        if (signal.aborted || isBaleError(failure, 'INVALID_ARCHIVE')) throw failure
        return { failure }
      }
    })
  }

  async function store(results: readonly Result[]): Promise<void> {
    if (results.length === 0) return
    const keys = [...new Set(results.flatMap((one) => one.keys))].filter((key) => !noted.has(key))
    for (let at = 0; at < keys.length; at += KEYS_AT_ONCE) await meta.noteFindings(keys.slice(at, at + KEYS_AT_ONCE))
    if (noted.size > MOST_KEYS) noted.clear()
    for (const key of keys) noted.add(key)
    await meta.putResults(results.map(({ result }) => result))
    observe?.({ kind: 'scans-matched', count: results.length })
  }

  /** Results of those of a page that can be matched; undefined when the bundle is another one by now. */
  async function matchPage(page: readonly Unmatched[], version: string): Promise<Result[] | undefined> {
    const results: Result[] = []
    for (const one of page) {
      signal.throwIfAborted()
      if (hopeless.has(one.digest)) continue
      const matched = await match(one, version)
      if (!matched) return undefined
      if ('result' in matched) results.push(matched)
      else {
        hopeless.add(one.digest)
        report(matched.failure, `matching ${one.digest}`)
      }
    }
    return results
  }

  async function currentVersion(): Promise<string | undefined> {
    const identity = await identityOf(advisories)
    if (identity !== undefined && identity === known?.identity) return known.version
    return (await inOrder(current))?.version
  }

  /** All that has no result by the advisories of now. A bundle that comes meanwhile begins it anew. */
  async function pass(lost: AbortSignal): Promise<void> {
    let version = await currentVersion()
    for (let last: string | undefined; version !== undefined; ) {
      lost.throwIfAborted()
      const page = await meta.listUnmatched(version, { ...(last !== undefined && { last }), limit: PAGE })
      if (page.length === 0) return
      const results = await matchPage(page, version)
      if (results) {
        await store(results)
        last = page.at(-1)!.digest
      } else {
        version = await currentVersion()
        last = undefined
      }
    }
  }

  async function passInTurn(identity: string): Promise<void> {
    const outcome = await inTurn(meta, 'matching', pass)
    passed = { identity, until: clock.now() + (outcome === 'taken' ? TURN_TAKEN : AGAIN_AFTER) }
  }

  return {
    async round() {
      const identity = await identityOf(advisories)
      if (identity === undefined && !isMissing) {
        report(noAdvisories(`there is no bundle of advisories at ${advisories}`), MATCHING)
      }
      isMissing = identity === undefined
      if (identity === undefined) return
      if (running || signal.aborted || (identity === passed.identity && clock.now() < passed.until)) return
      running = passInTurn(identity)
        .catch((error: unknown) => {
          passed = { identity, until: clock.now() + AGAIN_AFTER }
          if (!signal.aborted) report(error, 'matching')
        })
        .finally(() => {
          running = undefined
        })
    },
    async matchNow(digest) {
      const bundle = await inOrder(current)
      const [found] = bundle ? await meta.listUnmatched(bundle.version, { digest }) : []
      const matched = found && (await match(found, bundle!.version))
      if (!matched) return
      if ('failure' in matched) throw matched.failure
      await store([matched])
    },
    async [Symbol.asyncDispose]() {
      stopping.abort(new BaleError('ABORTED', 'the registry ends'))
      clearTimeout(idle)
      await running
      await inOrder(close)
    },
  }
}

/** What tells one file at a path from the next one; undefined when there is none. The file is replaced as a whole, never written to. */
async function identityOf(path: string): Promise<string | undefined> {
  try {
    const { dev, ino, size, mtimeNs } = await stat(path, { bigint: true })
    return [dev, ino, size, mtimeNs].join()
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw error
  }
}

/** What is reported to fail without advisories. */
export const MATCHING = 'matching packages with advisories'

export function noAdvisories(why: string): BaleError {
  return new BaleError('PATH_NOT_FOUND', `${why}: packages are listed but not checked for vulnerabilities`)
}
