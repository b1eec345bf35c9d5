/** Milliseconds of a clock that nobody sets. Not `performance.now()`, whose first use loads a module that takes milliseconds itself. */
export function monotonic(): number {
  const [seconds, nanoseconds] = process.hrtime()
  return seconds * 1000 + nanoseconds / 1e6
}
