/** Whether the last part of a path is this name; cheaper than to take the path apart. */
export function isNamed(path: string, name: string): boolean {
  return path.endsWith(name) && (path.length === name.length || path[path.length - name.length - 1] === '/')
}

/** Whether a directory of this name is among those that a path leads through. */
export function isInside(path: string, directory: string): boolean {
  return path.startsWith(`${directory}/`) || path.includes(`/${directory}/`)
}
