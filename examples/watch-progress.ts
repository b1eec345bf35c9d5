/** Pulls an image and shows how far each layer is, from the facts that the engine reports: `watch-progress.ts NAME`. */

import { createEngine, readConfig } from 'bale'
import type { ProgressEvent } from 'bale/base'

const [name = 'debian:12'] = process.argv.slice(2)

function show(event: ProgressEvent): void {
  if (event.kind === 'warning') console.log(`warning: ${event.text}`)
  if (event.kind !== 'layer') return
  const layer = event.digest.slice(7, 19)
  if (event.phase === 'moving')
    console.log(`${layer} ${Math.floor((100 * event.current) / Math.max(event.total, 1))} %`)
  else console.log(`${layer} ${event.phase}`)
}

await using engine = createEngine({ config: readConfig() })
await engine.images.pull(name, { progress: show })
