/**
 * The OSV ecosystem of a product of Red Hat by its CPE, with or without the part `cpe:/o:redhat:`: `Red Hat:enterprise_linux:9`
 * for all repositories and minor releases of RHEL 9. An image does not tell which repository a package came from, and says
 * only its version in os-release (`9.4`), whose first number leads here. Undefined for all but Enterprise Linux (layered
 * products, extended support), which no image names.
 */
export function redHatEcosystem(cpe: string): string | undefined {
  const [, major] = /^(?:cpe:\/[ao]:redhat:|cpe:2\.3:[ao]:redhat:)?enterprise_linux:(\d{1,3})(?![\w])/.exec(cpe) ?? []
  return major && `Red Hat:enterprise_linux:${major}`
}
