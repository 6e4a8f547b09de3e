/** The page for people, in a real Chromium: a newcomer pastes a key and calls. */
import { scratchFolder } from '@culvert/services'
import { chromiumLaunch, findPeer } from '@culvert/testkit'
import fs from 'node:fs'
import path from 'node:path'
import { chromium, type Browser, type Locator, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { openHarness, type Harness } from '../testing/harness.ts'

const { peer, reason } = await findPeer('chromium')

describe.skipIf(peer === null)(`the page at /docs${reason === null ? '' : ` (skipped: ${reason})`}`, () => {
  let harness: Harness
  let browser: Browser
  let page: Page
  let url: string
  let folder: string
  const complaints: string[] = []
  const foreign: string[] = []

  beforeAll(async () => {
    harness = await openHarness(inject('databaseUrl'))
    url = await harness.api.listen({ host: '127.0.0.1', port: 0 })
    folder = await scratchFolder()
    browser = await chromium.launch(chromiumLaunch(peer!, folder))
    page = await browser.newPage({ viewport: { width: 1280, height: 1600 } })
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
    page.on('pageerror', (error) => complaints.push(String(error)))
    page.on('request', (request) => {
      const wanted = request.url()
      if (!wanted.startsWith(url) && !wanted.startsWith('data:')) foreign.push(wanted)
    })
    await page.goto(`${url}/docs`)
  })
  afterAll(async () => {
    await browser?.close()
    await harness?.close()
    fs.rmSync(folder, { recursive: true, force: true })
  })

  const operation = (id: string): Locator => page.locator(`[id$="-${id}"].opblock`)
  const execute = async (id: string): Promise<{ status: string; body: string }> => {
    const block = operation(id)
    if ((await block.getAttribute('class'))?.includes('is-open') !== true)
      await block.locator('.opblock-summary').click()
    // What an earlier call was answered goes first, lest it be taken for the answer.
    const clear = block.getByRole('button', { name: 'Clear' })
    if (await clear.isVisible()) await clear.click()
    await block.getByRole('button', { name: 'Execute' }).click()
    const live = block.locator('.live-responses-table .response')
    await live.waitFor()
    return {
      status: (await live.locator('.response-col_status').first().innerText()).trim().slice(0, 3),
      body: await live.locator('.response-col_description .microlight').first().innerText(),
    }
  }

  it('shows every group of operations, and the webhooks', async () => {
    await page.getByRole('heading', { name: /^Culvert/ }).waitFor()
    for (const group of ['devices', 'tunnels', 'credentials', 'networks'])
      expect(await page.locator(`[data-tag="${group}"]`).first().isVisible()).toBe(true)
    expect(await page.getByText('A device attached.').first().isVisible()).toBe(true)
    await picture('docs')
  })

  it('answers 401 before a key was given', async () => {
    expect(await execute('listDevices')).toMatchObject({ status: '401' })
  })

  it('calls with the key that was pasted: the example registers a device, which is in the list then', async () => {
    await page.getByRole('button', { name: 'Authorize' }).click()
    const dialog = page.locator('.dialog-ux')
    await dialog.getByLabel('auth-bearer-value').first().fill(harness.organization.key)
    await dialog.getByRole('button', { name: 'Apply credentials' }).first().click()
    await dialog.getByRole('button', { name: 'Close' }).first().click()

    expect(await execute('createDevice')).toMatchObject({ status: '201' })
    const list = await execute('listDevices')
    expect(list.status).toBe('200')
    expect(list.body).toContain('89490000000000000015')
    await operation('createDevice').scrollIntoViewIfNeeded()
    await picture('docs-called')
  })

  it('keeps the key to itself: nothing is stored, loaded from elsewhere or refused by the policy', async () => {
    const stored = await page.evaluate('JSON.stringify({ ...localStorage, ...sessionStorage }) + document.cookie')
    expect(stored).toBe('{}')
    expect(foreign).toEqual([])
    expect(complaints.filter((text) => !text.includes('401'))).toEqual([])
    const answer = await harness.call('GET', '/docs', { key: null })
    expect(answer.headers['content-security-policy']).toContain(
      "default-src 'none'; script-src 'self'; style-src 'self'",
    )
  })

  /** For looking at it: CULVERT_PICTURES names a folder. */
  async function picture(name: string): Promise<void> {
    const folder = process.env['CULVERT_PICTURES']
    if (folder) await page.screenshot({ path: path.join(folder, `${name}.png`) })
  }
})
