/** Clients that push and pull small images through a balancer all the time, and watch what they are answered. */
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Answer, clientOf, MANIFEST_TYPE, type Sending, sha256 } from './registry-client.ts'

export interface PushLoad {
  /** Images whose manifest was answered with 201. */
  readonly pushed: readonly PushedTag[]
  /** Requests that were refused for the moment, or whose connection broke. */
  failures(): number
  /** Answers that no failure excuses. */
  readonly complaints: readonly string[]
  /** Ends the clients, and waits for what they are at. */
  stop(): Promise<void>
}

export interface PushedTag {
  tag: string
  manifest: string
  blobs: string[]
}

const WORKERS = 3
const REPOSITORY = 'load/image'
/** A pause, so that the clients do not take the whole machine. */
const PAUSE = 50

export function startPushLoad(address: string): PushLoad {
  const pushed: PushedTag[] = []
  const complaints: string[] = []
  let failures = 0
  let stopped = false
  const ask = async (method: string, path: string, sending: Sending, wanted: number): Promise<Answer> => {
    const answer = await clientOf(address)
      .request(method, path, sending)
      .catch((error: Error) => error)
    const problem = answer instanceof Error ? 'broken' : problemOf(answer, wanted)
    if (problem === undefined) return answer as Answer
    if (problem !== 'broken') complaints.push(`${method} ${path}: ${problem}`)
    failures++
    throw new Again()
  }
  const work = async (worker: number) => {
    for (let turn = 0; !stopped; turn++) {
      try {
        pushed.push(await push(ask, `${worker}-${turn}`))
        await pull(ask, pushed[Math.floor(Math.random() * pushed.length)]!)
      } catch (error) {
        if (!(error instanceof Again)) throw error
      }
      await sleep(PAUSE)
    }
  }
  const all = Promise.all(Array.from({ length: WORKERS }, (_, worker) => work(worker)))
  // It is thrown by `stop`.
  all.catch(() => undefined)
  return {
    pushed,
    complaints,
    failures: () => failures,
    async stop() {
      stopped = true
      await all
    },
  }
}

/** What a client does then: it begins anew. */
class Again extends Error {}

type Ask = (method: string, path: string, sending: Sending, wanted: number) => Promise<Answer>

/** Why an answer is a fault of the registry; `broken` when it is one of the moment. */
function problemOf({ status, headers, body }: Answer, wanted: number): string | undefined {
  if (status === wanted) return undefined
  const said = body.toString().slice(0, 300)
  // A balancer without a replica has an answer of its own.
  if (headers['docker-distribution-api-version'] === undefined) {
    return [502, 503, 504].includes(status) ? 'broken' : `the balancer: ${status} ${said}`
  }
  // Where the servers of a registry are, and what their names are, is not said to strangers.
  if (/127\.0\.0\.1|bale-/.test(said)) return `it tells too much: ${status} ${said}`
  if (status === 503) return headers['retry-after'] === undefined ? '503 without Retry-After' : 'broken'
  // The beginning of an upload is not synced: its client begins another one.
  return said.includes('BLOB_UPLOAD_UNKNOWN') ? 'broken' : `${status} ${said}`
}

/** Small blobs in one request, the large one by POST, PATCH and PUT. */
async function push(ask: Ask, tag: string): Promise<PushedTag> {
  const config = Buffer.from(JSON.stringify({ architecture: 'amd64', os: 'linux', rootfs: { type: 'layers' }, tag }))
  // Now and then more than a part of the store.
  const layer = randomBytes(Math.random() < 0.1 ? 6_000_000 : 60_000)
  const uploads = `/v2/${REPOSITORY}/blobs/uploads/`
  await ask('POST', `${uploads}?digest=${sha256(config)}`, { body: config }, 201)
  const location = String((await ask('POST', uploads, {}, 202)).headers['location'])
  await ask('PATCH', location, { body: layer }, 202)
  await ask('PUT', `${location}?digest=${sha256(layer)}`, {}, 201)
  const bytes = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST_TYPE,
      config: descriptor('application/vnd.oci.image.config.v1+json', config),
      layers: [descriptor('application/vnd.oci.image.layer.v1.tar', layer)],
    }),
  )
  const sending = { headers: { 'Content-Type': MANIFEST_TYPE }, body: bytes }
  await ask('PUT', `/v2/${REPOSITORY}/manifests/${tag}`, sending, 201)
  return { tag, manifest: sha256(bytes), blobs: [sha256(config), sha256(layer)] }
}

const descriptor = (mediaType: string, bytes: Uint8Array) => ({
  mediaType,
  digest: sha256(bytes),
  size: bytes.byteLength,
})

async function pull(ask: Ask, image: PushedTag): Promise<void> {
  const { body } = await ask('GET', `/v2/${REPOSITORY}/manifests/${image.tag}`, {}, 200)
  if (sha256(body) !== image.manifest) throw new Error(`another manifest came for ${image.tag}`)
  for (const digest of image.blobs) {
    const blob = await ask('GET', `/v2/${REPOSITORY}/blobs/${digest}`, {}, 200)
    if (sha256(blob.body) !== digest) throw new Error(`other bytes came for ${digest}`)
  }
}

/** Of those images, the tags that cannot be pulled whole. */
export async function missingOf(address: string, images: readonly PushedTag[]): Promise<string[]> {
  const ask: Ask = async (method, path, sending, wanted) => {
    const answer = await clientOf(address).request(method, path, sending)
    if (answer.status !== wanted) throw new Error(`${path}: ${answer.status}`)
    return answer
  }
  const missing: string[] = []
  for (const image of images) {
    await pull(ask, image).catch((error: Error) => missing.push(`${image.tag}: ${error.message}`))
  }
  return missing
}
