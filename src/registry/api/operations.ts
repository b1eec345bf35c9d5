import type { OperationName } from './administration.ts'
import { auditOperation } from './audit-operation.ts'
import { collectionOperation } from './collection-operation.ts'
import { exceptionOperations } from './exception-operations.ts'
import { hookOperations } from './hook-operations.ts'
import { imageOperations } from './image-operations.ts'
import type { Operation } from './operation.ts'
import { organisationOperations } from './organisation-operations.ts'
import { promotionOperation } from './promotion-operation.ts'
import { quotaOperations } from './quota-operations.ts'
import { renameOperations } from './rename-operations.ts'
import { replicationOperations } from './replication-operations.ts'
import { repositoryOperations } from './repository-operations.ts'
import { scanOperations } from './scan-operations.ts'
import { secretOperations } from './secret-operations.ts'
import { selfOperation } from './self-operation.ts'
import { userOperations } from './user-operations.ts'

/**
 * All that can be done by HTTP. The handler, its checks, the OpenAPI document, the reference page and the client come from
 * this table; a method of `Administration` that is missing here is an error of the compiler.
 */
export const OPERATIONS: Readonly<Record<OperationName | 'me', Operation>> = {
  me: selfOperation,
  ...userOperations,
  ...organisationOperations,
  ...secretOperations,
  ...repositoryOperations,
  ...exceptionOperations,
  ...scanOperations,
  ...imageOperations,
  ...promotionOperation,
  ...renameOperations,
  ...quotaOperations,
  ...hookOperations,
  ...replicationOperations,
  ...auditOperation,
  ...collectionOperation,
}
