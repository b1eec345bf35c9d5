/**
 * URL of a module beside the calling one, for `new Worker` and `import()`: the extension is that of the calling module, so
 * that it is right in the TypeScript sources and in the bundle, where such a module stays a file of its own.
 */
export function siblingModule(importMetaUrl: string, name: string): string {
  const extension = importMetaUrl.slice(importMetaUrl.lastIndexOf('.'))
  return new URL(`${name}${extension}`, importMetaUrl).href
}
