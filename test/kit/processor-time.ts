/**
 * Answers how many milliseconds of processor time this process, with its threads, has spent since: unlike a clock's, they do
 * not grow while other programs have the processors. For tests of how time grows with size.
 */
export function processorTime(): () => number {
  const before = process.cpuUsage()
  return () => {
    const { user, system } = process.cpuUsage(before)
    return (user + system) / 1000
  }
}
