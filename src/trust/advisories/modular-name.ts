/**
 * The name under which advisories of Red Hat list a package that was built as part of a module: `nodejs:18/nodejs`. `modularity`
 * is the package's label, `nodejs:18:8060020220523160029:ad008a3a`. The same source has other fixed versions in other streams.
 */
export function modularName(name: string, modularity: string): string | undefined {
  const [module, stream] = modularity.split(':')
  return module && stream ? `${module}:${stream}/${name}` : undefined
}
