import type { FoundPackage } from '../../model.ts'
import { rpmPackage } from './rpm-package.ts'

/** Bytes of a line that are looked at. */
const LONGEST_LINE = 16384

/**
 * The package of a line of the list that Azure Linux (before: CBL-Mariner) puts into images without rpm. Tabs are between
 * name, version and release, times of installation and build, vendor, epoch, size, architecture, epoch again, and source
 * file. What a package does not have is `(none)`.
 */
export function manifestPackage(line: Buffer): FoundPackage {
  const fields = line.toString('utf8', 0, LONGEST_LINE).split('\t')
  const given = fields.map((field) => (field === '(none)' ? '' : field))
  const [name = '', release = '', , , vendor, epoch = '', , architecture, , sourceFile] = given
  return rpmPackage({
    name,
    release,
    epoch: /^\d{1,9}$/.test(epoch) ? Number(epoch) : undefined,
    architecture,
    sourceFile,
    vendor,
  })
}
