/** Callers with the same key that arrive while a task runs share its result instead of starting it again. */
export function createSingleFlight<K, T>(): (key: K, task: () => Promise<T>) => Promise<T> {
  const flights = new Map<K, Promise<T>>()
  return (key, task) => {
    const flying = flights.get(key)
    if (flying) return flying
    const flight = task().finally(() => flights.delete(key))
    flights.set(key, flight)
    return flight
  }
}
