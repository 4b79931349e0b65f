import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { hasBrowser, keepPicture, startBrowserTest, type BrowserTest, type Visit } from '../helpers/browser.ts';
import { newTenant } from '../helpers/tenant.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

/** Every control that has no name for whoever does not see it, and every id that two elements have. */
const FAULTS = `(() => {
    const nameOf = (element) =>
        element.getAttribute('aria-label') ||
        document.getElementById(element.getAttribute('aria-labelledby'))?.textContent ||
        element.labels?.[0]?.textContent ||
        (element.matches('a, button, summary') && element.textContent.trim());
    const nameless = [...document.querySelectorAll('a, button, input, select, textarea, summary, dialog, nav')]
        .filter((element) => !nameOf(element))
        .map((element) => element.outerHTML);
    const ids = [...document.querySelectorAll('[id]')].map(({ id }) => id);
    const wide = document.documentElement.scrollWidth > innerWidth ? ['wider than the window'] : [];
    const headings = document.querySelectorAll('h1').length === 1 ? [] : ['not one h1'];
    const captions = [...document.querySelectorAll('table')].filter((table) => !table.caption?.textContent);
    return [...nameless, ...ids.filter((id, at) => ids.indexOf(id) !== at), ...wide, ...headings, ...captions.map(String)];
})()`;

for (const [name, options] of [
    ['of a desk', { viewport: { width: 1280, height: 900 } }],
    ['of a phone, in the dark', { viewport: { width: 360, height: 740 }, colorScheme: 'dark' }],
] as const) {
    describe(`every page of the console on the screen ${name}`, { skip: !hasBrowser, timeout: 120_000 }, () => {
        let test: BrowserTest;
        let visit: Visit;

        before(async () => {
            if (!hasBrowser) return;
            test = await startBrowserTest();
            await newTenant(test.app);
            visit = await test.visit(options);
            await visit.signIn();
        });

        after(() => test?.stop());

        it('fits, has names for everything, and opens without a failure', async () => {
            const { page } = visit;
            const links = page.getByRole('navigation', { name: 'Sections' }).getByRole('link');
            const names = await links.allInnerTexts();
            expect(names).to.include(['Tenants']);
            for (const title of names) {
                await visit.open(title);
                expect(await page.title()).to.equal(`${title} · Admin console`);
                expect(await page.locator('nav [aria-current="page"]').innerText()).to.equal(title);
                expect(await page.getByRole('alert').allInnerTexts(), title).to.equal([]);
                expect(await page.evaluate(FAULTS), title).to.equal([]);
                await keepPicture(page, `console-${title.toLowerCase()}-${options.viewport.width}`);
            }
        });

        it('has dialogs that fit, with names for everything', async () => {
            const { page } = visit;
            await page.goto(`${test.url}#/tenants`);
            await page.getByRole('button', { name: 'Create a tenant' }).click();
            await page.getByRole('dialog').waitFor();
            expect(await page.evaluate(FAULTS)).to.equal([]);
            await page.keyboard.press('Escape');
            await page.getByRole('dialog').waitFor({ state: 'detached' });
        });

        it('asks no other host, and breaks none of its own rules', () => {
            expect([visit.complaints, visit.strangers]).to.equal([[], []]);
        });

        it('has a way in whose every part has a name', async () => {
            const { page } = await test.visit(options);
            await page.goto(test.url);
            await page.getByLabel('Password').waitFor();
            expect(await page.evaluate(FAULTS)).to.equal([]);
        });
    });
}
