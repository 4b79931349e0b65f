import { randomBytes } from 'node:crypto';

import type { Page } from 'playwright-core';

/** Fills in the dialog, and sends it. */
export async function askForTenant(page: Page, { name, domain }: { name: string; domain: string }): Promise<void> {
    await page.getByRole('link', { name: 'Tenants', exact: true }).first().click();
    await page.getByRole('button', { name: 'Create a tenant' }).click();
    const dialog = page.getByRole('dialog', { name: 'Create a tenant' });
    await dialog.getByLabel('Name').fill(name);
    await dialog.getByLabel('Domain').fill(domain);
    await dialog.getByLabel('Plan').selectOption('premium');
    await dialog.getByLabel('E-mail of its first admin').fill(`ada@${domain}`);
    await dialog.getByRole('button', { name: 'Create' }).click();
}

/** Has the console make a tenant, and takes the invitation. */
export async function createTenant(page: Page, name: string): Promise<{ domain: string; invitation: string }> {
    const domain = `${randomBytes(8).toString('hex')}.example`;
    await askForTenant(page, { name, domain });
    const shown = page.getByRole('dialog', { name: 'Invitation of the first admin' });
    const invitation = await shown.getByRole('textbox').inputValue();
    await shown.getByRole('button', { name: 'I have kept it' }).click();
    // Not by its role: one that is closed has none, and is in the page until it is told.
    await page.locator('dialog').waitFor({ state: 'detached' });
    return { domain, invitation };
}
