/** docker's `inspect` of a container. Members that bale cannot fill have docker's zero values. */
export interface ContainerInspect {
  Id: string
  Created: string
  Path: string
  Args: string[]
  State: Record<string, unknown>
  Image: string
  ResolvConfPath: string
  HostnamePath: string
  HostsPath: string
  LogPath: string
  Name: string
  RestartCount: number
  Driver: string
  Platform: string
  MountLabel: string
  ProcessLabel: string
  AppArmorProfile: string
  ExecIDs: string[] | null
  HostConfig: Record<string, unknown>
  GraphDriver: { Name: string; Data: Record<string, string> }
  SizeRw?: number
  SizeRootFs?: number
  Mounts: Record<string, unknown>[]
  Config: Record<string, unknown>
  NetworkSettings: Record<string, unknown>
}
