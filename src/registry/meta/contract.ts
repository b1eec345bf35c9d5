import { test } from 'node:test'
import type { MetaPlace } from '../../../test/kit/meta-places.ts'
import { acmeContract } from './acme-contract.ts'
import { cachedContentContract } from './cached-content-contract.ts'
import { collectorContract, damageContract } from './collector-contract.ts'
import { concurrencyContract } from './concurrency-contract.ts'
import { contentContract, listingContract } from './content-contract.ts'
import { contentPolicyContract } from './content-policy-contract.ts'
import { gateContract, gateRecordContract } from './gate-contract.ts'
import { auditContract, groupContract } from './group-contract.ts'
import { historyContract } from './history-contract.ts'
import { hookContract, hookDeliveryContract } from './hook-contract.ts'
import { immutableContract } from './immutable-contract.ts'
import { type Check, NOW } from './kit-contract.ts'
import { deviceLoginContract, directoryContract, refreshTokenContract, sessionContract } from './login-contract.ts'
import { promotionContract } from './promotion-contract.ts'
import { quotaContract } from './quota-contract.ts'
import { renameContract } from './rename-contract.ts'
import { replicationContract } from './replication-contract.ts'
import { requestCountContract } from './request-counts-contract.ts'
import { retentionContract } from './retention-contract.ts'
import { resultContract, scanContract, scanQueueContract } from './scan-contract.ts'
import { accountContract, coordinationContract } from './shared-contract.ts'
import { transferContract } from './transfer-contract.ts'
import { uploadContract } from './upload-contract.ts'

/** What every metadata store of a registry promises, seen through two openings of the same data. */
export function metaStoreContract(name: string, create: () => Promise<MetaPlace>): void {
  const check: Check = (title, body) =>
    test(`${name}: ${title}`, async () => {
      await using place = await create()
      const [meta, other] = [await place.open(), await place.open()]
      await place.setTime(NOW)
      try {
        await body({ meta, other, setTime: (time) => place.setTime(time) })
      } finally {
        await other.close()
        await meta.close()
      }
    })
  contentContract(check)
  listingContract(check)
  uploadContract(check)
  collectorContract(check)
  damageContract(check)
  accountContract(check)
  groupContract(check)
  auditContract(check)
  refreshTokenContract(check)
  sessionContract(check)
  deviceLoginContract(check)
  directoryContract(check)
  coordinationContract(check)
  requestCountContract(check)
  concurrencyContract(check)
  immutableContract(check)
  historyContract(check)
  retentionContract(check)
  quotaContract(check)
  contentPolicyContract(check)
  promotionContract(check)
  renameContract(check)
  cachedContentContract(check)
  hookContract(check)
  hookDeliveryContract(check)
  replicationContract(check)
  acmeContract(check)
  scanQueueContract(check)
  scanContract(check)
  resultContract(check)
  gateContract(check)
  gateRecordContract(check)
  transferContract(check)
}
