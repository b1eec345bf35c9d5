import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HttpAnswer } from '#transport/http'
import { processorTime } from '../../../test/kit/processor-time.ts'
import { nextPage } from './pages.ts'

const nextOf = (link: string) =>
  nextPage({ headers: { link }, url: new URL('https://r.test/v2/a/tags/list') } as unknown as HttpAnswer)

test('the next page is the address with rel="next", wherever it is in the header', () => {
  for (const [link, expected] of [
    ['</v2/a/tags/list?n=2>; rel="next"', '/v2/a/tags/list?n=2'],
    ['<https://other.test/x?y>; title="t"; REL=next', '/x?y'],
    ['</a>; rel="prev", </b>; rel = "next"', '/b'],
    ['</a>; rel="prev"', undefined],
    ['</a>; rel="nextish"', undefined],
    ['/a; rel="next"', undefined],
  ] as const)
    assert.equal(nextOf(link), expected, link)
})

test('a long header takes no longer than its length', () => {
  const MiB = 2 ** 20
  const spent = processorTime()
  for (const part of ['<', '<>;', '<> ', '<>; rel', '<>;rel =', '<>;rel="next', '<>;,'])
    nextOf(`<${part.repeat(MiB / part.length)}`)
  nextOf(`<>;${' rel = '.repeat(MiB / 7)}`)
  nextOf(`<>${' '.repeat(MiB)}`)
  assert.ok(spent() < 1000)
})
