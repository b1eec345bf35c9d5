import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ProgressEvent } from '#base'
import { loadedLine, type StatusLine, statusLines } from './status-lines.ts'

const digest = `sha256:0123456789ab${'0'.repeat(52)}`
const id = '0123456789ab'

const cases: [event: ProgressEvent, lines: StatusLine[]][] = [
  [{ kind: 'layer', digest, phase: 'planned', act: 'pull' }, [{ id, status: 'Pulling fs layer' }]],
  [{ kind: 'layer', digest, phase: 'planned', act: 'push' }, [{ id, status: 'Preparing' }]],
  [{ kind: 'layer', digest, phase: 'waiting' }, [{ id, status: 'Waiting' }]],
  [
    { kind: 'layer', digest, phase: 'moving', act: 'pull', current: 1, total: 2 },
    [{ id, status: 'Downloading', current: 1, total: 2 }],
  ],
  [
    { kind: 'layer', digest, phase: 'moving', act: 'save', current: 1, total: 2 },
    [{ id, status: 'Saving layer', current: 1, total: 2 }],
  ],
  [{ kind: 'layer', digest, phase: 'done', act: 'load' }, [{ id, status: 'Loaded' }]],
  [{ kind: 'layer', digest, phase: 'exists', act: 'pull' }, [{ id, status: 'Already exists' }]],
  [{ kind: 'layer', digest, phase: 'exists', act: 'push' }, [{ id, status: 'Layer already exists' }]],
  [{ kind: 'layer', digest, phase: 'mounted', from: 'team/web' }, [{ id, status: 'Mounted from team/web' }]],
  [{ kind: 'blob', digest, phase: 'retrying', seconds: 7 }, [{ id, status: 'Retrying in 7 seconds' }]],
  [
    { kind: 'manifest', digest, phase: 'exists', act: 'push', layers: [digest] },
    [{ id, status: 'Layer already exists' }],
  ],
  [{ kind: 'manifest', digest, phase: 'exists', act: 'pull', layers: [digest] }, []],
  [
    { kind: 'image', phase: 'pulled', name: 'debian:12', digest, unchanged: false },
    [{ status: `Digest: ${digest}` }, { status: 'Status: Downloaded newer image for debian:12' }],
  ],
  [{ kind: 'image', phase: 'missing', name: 'x:1' }, [{ status: "Unable to find image 'x:1' locally" }]],
  [{ kind: 'waiting', what: 'the store' }, [{ status: 'waiting for the store' }]],
  [{ kind: 'warning', text: 'careful' }, []],
]

test('facts of progress get the lines that docker prints', () => {
  for (const [event, lines] of cases) assert.deepEqual(statusLines(event), lines, JSON.stringify(event))
})

test('a loaded image is called by its name, or by its ID', () => {
  assert.equal(loadedLine({ name: 'web:1', id: digest }), 'Loaded image: web:1')
  assert.equal(loadedLine({ id: digest }), `Loaded image ID: ${digest}`)
})
