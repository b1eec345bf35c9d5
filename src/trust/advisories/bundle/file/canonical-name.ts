/**
 * The form of a package's name in which an ecosystem compares names: advisories and images may write it differently. Sources:
 * PyPA, "Names and normalization"; NuGet and Composer compare without case.
 */
export function canonicalName(ecosystem: string, name: string): string {
  switch (ecosystem) {
    case 'PyPI':
      return name.toLowerCase().replace(/[-_.]+/g, '-')
    case 'NuGet':
    case 'Packagist':
      return name.toLowerCase()
    default:
      return name
  }
}
