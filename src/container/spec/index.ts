/**
 * spec: the runtime configuration (config.json) of a process: namespaces, limits, devices, capabilities, users. Reads the
 * machine and a root file system; changes nothing.
 */

export {
  APPARMOR_PLACES,
  type AppArmorPlaces,
  apparmorText,
  DEFAULT_APPARMOR_PROFILE,
  loadedProfiles,
  readAppArmor,
} from './apparmor.ts'
export { boundingCapabilities } from './capabilities.ts'
export { checkOomScore, checkResources, possibleResources } from './check-resources.ts'
export { MASKED_PATHS, READONLY_PATHS } from './default-paths.ts'
export { deviceAccess } from './devices.ts'
export { readMachine } from './machine.ts'
export type { OciConfig, OciMount, OciProcess, OciResources } from './oci-config.ts'
export { resolveUser } from './process-user.ts'
export { isLifted, resourceLimits, swapLimit, withoutLifted } from './resources.ts'
export {
  cgroupPath,
  mergeEnvironment,
  type NamespaceChoice,
  ociProcess,
  processEnvironment,
  runtimeSpec,
} from './runtime-spec.ts'
export { parseSecurityOptions } from './security-options.ts'
export { sysctls } from './sysctls.ts'
