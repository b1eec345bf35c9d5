/** A place among the passwords that are being checked. */
type Place = Disposable

/**
 * Bounds how many passwords wait to be checked: each check takes some 40 ms of a core, and a login after a flood of
 * guesses must not wait for all of it. An address gets a few places, so that one flood leaves room for others; who has
 * logged in from there before gets places that strangers do not.
 */
export function createHashQueue(bounds = { all: 32, address: 8, reserved: 16 }) {
  let taken = 0
  const byAddress = new Map<string, number>()
  return {
    /** Undefined when there is no room: answer at once. */
    enter(address: string, known: boolean): Place | undefined {
      const own = byAddress.get(address) ?? 0
      const room = known ? taken < bounds.all + bounds.reserved : taken < bounds.all && own < bounds.address
      if (!room) return undefined
      taken++
      byAddress.set(address, own + 1)
      return {
        [Symbol.dispose]() {
          taken--
          const left = byAddress.get(address)! - 1
          if (left > 0) byAddress.set(address, left)
          else byAddress.delete(address)
        },
      }
    },
  }
}
