/** Addresses of networks, each given to one owner at a time, whichever process asks. */
export interface Addresses {
  /**
   * The first free one of the candidates, in one transaction; an owner may hold several. Throws NETWORK_SETUP_FAILED
   * when all are taken (one candidate: "Address already in use").
   */
  allocate(claim: { network: string; owner: string; candidates: Iterable<string> }): Promise<string>
  list(network: string): Promise<{ address: string; owner: string }[]>
  /** Gives back what the owner holds, in one network or in all. */
  release(owner: string, network?: string): Promise<void>
}

export interface PortRequest {
  /** `0.0.0.0` and `::` stand for every address of their family. */
  hostIp: string
  protocol: 'tcp' | 'udp' | 'sctp'
  /** Tried in order. */
  candidates: Iterable<number>
}

export interface ClaimedPort {
  hostIp: string
  protocol: 'tcp' | 'udp' | 'sctp'
  port: number
  owner: string
}

export interface Ports {
  /** All or nothing, in the order of the requests. Throws CONFLICT in docker's words. */
  allocate(owner: string, requests: readonly PortRequest[]): Promise<ClaimedPort[]>
  list(): Promise<ClaimedPort[]>
  release(owner: string): Promise<void>
}
