/** A path field of /proc/self/mountinfo read as latin1: space, tab, newline and backslash are written in octal. */
export function unescapeMountPath(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))
}
