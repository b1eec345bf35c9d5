import type { CopyAct, LayerProgress, ProgressEvent } from '#base'
import { type Digest, shortId } from '#spec'

/** A line of docker's progress. With an `id` it replaces the former line of that ID; with numbers it is a bar (bytes). */
export interface StatusLine {
  id?: string
  status: string
  current?: number
  total?: number
}

/** The words that scripts and readers know for a layer, by the direction in which it moves. */
const LAYER_WORDS: Record<CopyAct, { planned: string; moving: string; done: string; exists: string }> = {
  pull: { planned: 'Pulling fs layer', moving: 'Downloading', done: 'Pull complete', exists: 'Already exists' },
  push: { planned: 'Preparing', moving: 'Pushing', done: 'Pushed', exists: 'Layer already exists' },
  load: { planned: 'Preparing', moving: 'Loading layer', done: 'Loaded', exists: 'Layer already exists' },
  save: { planned: 'Preparing', moving: 'Saving layer', done: 'Saved', exists: 'Layer already exists' },
}

/**
 * A progress fact as docker's message, or in a similar style where docker has none; no line for facts that docker passes
 * over. Warnings, build steps and their output have forms of their own at each door and give no line either.
 */
export function statusLines(event: ProgressEvent): StatusLine[] {
  switch (event.kind) {
    case 'layer':
      return [layerLine(event)]
    case 'blob':
      return [{ id: idOf(event.digest), status: blobWords(event) }]
    case 'manifest':
      // docker lists the layers of an image that a registry has, and is silent about one that is here.
      if (event.act !== 'push') return []
      return event.layers.map((digest) => ({ id: idOf(digest), status: LAYER_WORDS.push.exists }))
    case 'image':
      return imageLines(event).map((status) => ({ status }))
    case 'waiting':
      return [{ status: `waiting for ${event.what}` }]
    case 'warning':
    case 'step':
    case 'output':
    case 'finding':
      return []
  }
}

/** Facts hold digests as text: the ground floor knows no Digest. */
const idOf = (digest: string) => shortId(digest as Digest)

function layerLine(event: LayerProgress): StatusLine {
  const id = idOf(event.digest)
  switch (event.phase) {
    case 'moving':
      return { id, status: LAYER_WORDS[event.act].moving, current: event.current, total: event.total }
    case 'compressing':
      return { id, status: 'Compressing', current: event.current, total: event.total }
    case 'waiting':
      return { id, status: 'Waiting' }
    case 'mounted':
      return { id, status: `Mounted from ${event.from}` }
    case 'checking':
      return { id, status: 'Checking layer' }
    case 'analysing':
      return { id, status: 'Analyzing layer' }
    case 'analysed':
      return { id, status: 'Analyzed' }
    default:
      return { id, status: LAYER_WORDS[event.act][event.phase] }
  }
}

function blobWords(event: Extract<ProgressEvent, { kind: 'blob' }>): string {
  return event.phase === 'checking' ? 'Checking blob' : `Retrying in ${event.seconds} seconds`
}

function imageLines(event: Extract<ProgressEvent, { kind: 'image' }>): string[] {
  switch (event.phase) {
    case 'missing':
      return [`Unable to find image '${event.name}' locally`]
    case 'pulling':
      return [`${event.label}: Pulling from ${event.repository}`]
    case 'pulled': {
      const status = event.unchanged ? 'Image is up to date for' : 'Downloaded newer image for'
      return [`Digest: ${event.digest}`, `Status: ${status} ${event.name}`]
    }
    case 'pushing':
      return [`The push refers to repository [${event.repository}]`]
    case 'pushed':
      return [`${event.tag}: digest: ${event.digest} size: ${event.size}`]
  }
}

/** What docker says of an image that a load brought: by its name, or by its ID when it has none. */
export function loadedLine(image: { name?: string; id: string }): string {
  return image.name === undefined ? `Loaded image ID: ${image.id}` : `Loaded image: ${image.name}`
}
