/**
 * A path as it is in images where `/bin`, `/sbin` and `/lib*` are links into `/usr`: packages still list their files under
 * the old names. `usr/lib/x` for `lib/x`; other paths as they are.
 */
export const mergedPath = (path: string) => (/^(?:bin|sbin|lib\w*)\//.test(path) ? `usr/${path}` : path)
