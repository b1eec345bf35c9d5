import type { SecurityInformation } from '#engine'

/** What holds containers apart from the machine, as lines of `info`. */
export function wallLines(facts: SecurityInformation): string[] {
  const { AppArmorMissing: missing, SecurityOptions: options } = facts
  return [
    `Runtimes: ${Object.keys(facts.Runtimes).join(' ')}`,
    `Default Runtime: ${facts.DefaultRuntime}`,
    `Security Options: ${options.map((option) => option.replace(/^name=|profile=/g, '')).join(' ')}`,
    `AppArmor: ${missing === '' ? 'profile bale-default' : `not applied, ${missing}`}`,
    ...weaknessLines(facts),
  ]
}

/** One line per runtime with published vulnerabilities that nothing else mitigates. */
export function weaknessLines({
  RuntimeWeaknesses,
  DefaultRuntime,
}: Pick<SecurityInformation, 'RuntimeWeaknesses' | 'DefaultRuntime'>): string[] {
  return RuntimeWeaknesses.filter(({ Open }) => Open.length > 0).map(({ Runtime, Version, Open }) => {
    const use = Runtime === DefaultRuntime ? 'the default' : 'used only on request'
    return `Known vulnerabilities of ${Runtime} ${Version} (${use}): ${Open.join(', ')}; your distribution may have fixed them, see its security tracker`
  })
}
