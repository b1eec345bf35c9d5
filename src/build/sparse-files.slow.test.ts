import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { truncateSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { buildKit, cannotRunContainers } from '../../test/kit/build-kit.ts'

test('a sparse file of a terabyte goes through RUN and COPY in no time, and takes no disk', {
  skip: cannotRunContainers(),
}, async () => {
  // A machine of its own: others look through all files of theirs.
  await using kit = await buildKit()
  const context = await kit.context({ disk: '' })
  truncateSync(join(context, 'disk'), 2 ** 38)
  const used = () =>
    Number.parseInt(execFileSync('du', ['-skx', join(kit.directory, 'store')], { encoding: 'utf8' }), 10)
  const before = used()
  const text = `FROM base AS s
RUN truncate -s 1024G /lastlog && printf x >> /lastlog
RUN printf y >> /lastlog
COPY disk /d/
FROM base
COPY --from=s /lastlog /d/disk /z/
RUN tail -c 2 /z/lastlog && stat -c %s /z/disk /z/lastlog`
  const { output } = await kit.build(text, { context })
  assert.equal(output, `xy${2 ** 38}\n${2 ** 40 + 2}\n`)
  assert.ok(used() - before < 50_000)
})
