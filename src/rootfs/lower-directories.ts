import type { MountInfo } from '#host'

/** Of an overlay, uppermost first, as the kernel lists them: `lowerdir=a:b` or one `lowerdir+=a` for each. */
export function lowerDirectories({ superOptions }: Pick<MountInfo, 'superOptions'>): string[] {
  return superOptions.flatMap((option) => {
    if (option.startsWith('lowerdir+=')) return [option.slice('lowerdir+='.length)]
    return option.startsWith('lowerdir=') ? option.slice('lowerdir='.length).split(':') : []
  })
}
