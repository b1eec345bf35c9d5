/**
 * Returns a function that tells how many milliseconds of processor time this process, all its threads included, has used since
 * this call. Unlike the time of a clock it does not grow while other programs use the processors. For tests of complexity.
 */
export function processorTime(): () => number {
  const before = process.cpuUsage()
  return () => {
    const { user, system } = process.cpuUsage(before)
    return (user + system) / 1000
  }
}
