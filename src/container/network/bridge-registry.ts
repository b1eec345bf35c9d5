import { existsSync, readlinkSync } from 'node:fs'
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { errnoOf, type Progress } from '#base'
import { acquireLock, readText, writeFileAtomic } from '#host/file'
import type { NetavarkRequest } from './netavark.ts'

/** A bridge that a store has brought up on this machine, or is about to, with all that is needed to take it down. */
export interface BridgeEntry {
  interfaceName: string
  /** The store's database: when it is gone, nothing else will remove the bridge. */
  database: string
  /** The network namespace the bridge is in. */
  namespace: string
  /** For netavark's teardown with a stand-in container. */
  request: NetavarkRequest
}

/** One directory for the whole machine, since it must outlive the stores. */
const DIRECTORY = '/run/bale-bridges'

export function ownNamespace(): string {
  return readlinkSync('/proc/self/ns/net')
}

/** A lock for what all stores share in this network namespace; each namespace has rules and chains of its own. */
export function namespaceLock(purpose: string, progress?: Progress): Promise<AsyncDisposable> {
  const inode = ownNamespace().replace(/\D/g, '')
  return acquireLock(join(DIRECTORY, `${purpose}-${inode}.lock`), {
    progress,
    what: 'the network of another container',
  })
}

/** Written before the bridge comes up, when its range is chosen. */
export async function rememberBridge(entry: BridgeEntry, directory = DIRECTORY): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const path = join(directory, `${entry.interfaceName}.json`)
  await writeFileAtomic(path, JSON.stringify(entry), { durable: false })
}

/** Called when the bridge is down. */
export async function forgetBridge(interfaceName: string, directory = DIRECTORY): Promise<void> {
  await rm(join(directory, `${interfaceName}.json`), { force: true })
}

/** Bridges of this network namespace, whichever store they belong to, by name. */
export async function bridgesHere(directory = DIRECTORY): Promise<BridgeEntry[]> {
  const entries: BridgeEntry[] = []
  for (const name of (await listed(directory)).sort()) {
    const entry = await readEntry(join(directory, name))
    if (entry && entry.namespace === ownNamespace()) entries.push(entry)
  }
  return entries
}

/** Those whose store was deleted. */
export async function orphanedBridges(directory = DIRECTORY): Promise<BridgeEntry[]> {
  return (await bridgesHere(directory)).filter((entry) => !existsSync(entry.database))
}

async function listed(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).filter((name) => name.endsWith('.json'))
  } catch (error) {
    // Without root there are no bridges, and root's cannot be inspected.
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'EACCES') return []
    throw error
  }
}

async function readEntry(path: string): Promise<BridgeEntry | undefined> {
  try {
    return JSON.parse(await readText(path)) as BridgeEntry
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || error instanceof SyntaxError) return undefined
    throw error
  }
}
