import { imagePlaceContract } from './contract.ts'
import { createMemoryPlace } from './memory-place.ts'

imagePlaceContract('memory place', async () => {
  const place = createMemoryPlace()
  return {
    target: place,
    openSource: async () => place,
    names: ['one', 'two'],
    async [Symbol.asyncDispose]() {
      await place.finish?.()
    },
  }
})
