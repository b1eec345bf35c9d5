import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startChromium, withoutChromium } from '../../../../test/kit/chromium.ts'
import { smallScan, someFinding, somePackage } from '../../../../test/kit/small-scan.ts'
import { summary } from '../summary/index.ts'
import { htmlReport } from './html-report.ts'

test('a browser runs nothing of a hostile image, and prints what is folded up', {
  skip: withoutChromium(),
}, async () => {
  const name = '"><img src=x onerror="document.title=1"><script>document.title=1</script>'
  const found = somePackage({ type: 'npm', name })
  const findings = [
    someFinding('CVE-2024-1', 'low', { package: found, advisory: { url: 'javascript:alert(1)', summary: name } }),
  ]
  await using chromium = await startChromium()
  const { page, complaints } = await chromium.page()
  const scan = smallScan({ findings })
  await page.setContent(htmlReport(scan, { name, summary: summary(scan) }))
  assert.equal(await page.title(), `Vulnerabilities of ${name}`)
  assert.equal(await page.locator('script, img, a').count(), 0)
  assert.deepEqual(complaints, [])
  const row = page.getByRole('rowheader', { name: 'CVE-2024-1', includeHidden: true }).last()
  assert.equal(await row.isVisible(), false)
  await page.emulateMedia({ media: 'print' })
  assert.equal(await row.isVisible(), true)
})
