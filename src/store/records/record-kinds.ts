import type { ContainerRecord } from './container-rows.ts'
import type { NetworkRecord } from './networks.ts'
import type { RecordKind } from './record-kind.ts'
import type { VolumeRecord } from './volumes.ts'

/** The kinds of records, given by the rooms that own the documents. A kind that is missing writes no events. */
export interface RecordKinds {
  container?: RecordKind<ContainerRecord>
  network?: RecordKind<NetworkRecord>
  volume?: RecordKind<VolumeRecord>
}
