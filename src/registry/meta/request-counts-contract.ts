import assert from 'node:assert/strict'
import { type Check, NOW } from './kit-contract.ts'

export function requestCountContract(check: Check): void {
  check('requests that several processes count add up, and each learns what the others counted', async (under) => {
    const { meta, other, setTime } = under
    const added = (name: string, part: number, count: number) => ({ name, part, count, within: 1000 })
    const first = await meta.addRequestCounts([added('b', 7, 2), added('a', 7, 1), added('a "quoted" ü', 7, 9)])
    assert.deepEqual(first.toSorted(byName), [
      { name: 'a', part: 7, count: 1 },
      { name: 'a "quoted" ü', part: 7, count: 9 },
      { name: 'b', part: 7, count: 2 },
    ])
    const second = await other.addRequestCounts([added('a', 8, 5), added('a', 7, 1)])
    assert.deepEqual(second.toSorted(byName), [
      { name: 'a', part: 7, count: 2 },
      { name: 'a', part: 8, count: 5 },
    ])
    await setTime(NOW + 2001)
    await meta.expireUploads()
    assert.deepEqual(await meta.addRequestCounts([added('a', 47, 1)]), [{ name: 'a', part: 47, count: 1 }])
  })

  check('of many counts at once none is lost', async ({ meta, other }) => {
    const counts = ['x', 'y', 'z'].map((name) => ({ name, part: 1, count: 1, within: 1000 }))
    const orders = [counts, counts.toReversed()]
    await Promise.all(Array.from({ length: 20 }, (_, at) => (at % 2 ? meta : other).addRequestCounts(orders[at % 2]!)))
    const last = await meta.addRequestCounts(counts)
    assert.deepEqual(
      last.map(({ count }) => count),
      [21, 21, 21],
    )
  })
}

const byName = (one: { name: string; part: number }, other: { name: string; part: number }) =>
  one.name === other.name ? one.part - other.part : one.name < other.name ? -1 : 1
