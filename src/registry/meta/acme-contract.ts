import assert from 'node:assert/strict'
import { type Check, NOW } from './kit-contract.ts'

export function acmeContract(check: Check): void {
  check('texts about a certificate are replaced, shared and removed', async ({ meta, other }) => {
    assert.equal(await other.acmeText('certificate'), undefined)
    await meta.putAcmeText('certificate', 'one')
    await other.putAcmeText('certificate', 'two')
    await other.putAcmeText('trial', 'failed')
    assert.equal(await meta.acmeText('certificate'), 'two')
    await meta.removeAcmeText('trial')
    assert.equal(await other.acmeText('trial'), undefined)
    await other.forgetAcmeTexts()
    assert.equal(await meta.acmeText('certificate'), undefined)
  })

  check(
    'an answer to an authority is gone after its time, those without one stay',
    async ({ meta, other, setTime }) => {
      await meta.putAcmeText('certificate', 'one')
      await meta.putAcmeText('challenge a', 'answer', { keep: 100 })
      await setTime(NOW + 99)
      assert.equal(await other.acmeText('challenge a'), 'answer')
      await setTime(NOW + 100)
      assert.equal(await other.acmeText('challenge a'), undefined)
      await other.putAcmeText('challenge b', 'answer', { keep: 100 })
      await setTime(NOW + 1)
      assert.equal(await other.acmeText('challenge a'), undefined, 'it was removed, and not only passed over')
      assert.equal(await other.acmeText('certificate'), 'one')
    },
  )

  check('a certificate is in the audit log, an answer is not', async ({ meta }) => {
    await meta.putAcmeText('challenge a', 'answer', { keep: 100 })
    await meta.putAcmeText('certificate', 'one', { record: ['a.example', 'b.example'] })
    const entries = await meta.listAudit({ limit: 10 })
    assert.deepEqual(
      entries.map(({ actor, action, target, outcome }) => [actor, action, target, outcome]),
      [['operator', 'certificate.set', 'a.example b.example', 'done']],
    )
  })
}
