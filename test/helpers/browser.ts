import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';

import { PLATFORM_ADMIN, randomAddress, startApp, type AppOptions, type TestApp } from './app.ts';
import { packageRoot } from '../../src/package-root.ts';

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
/** Debian's, and as alone as it can be: it may not ask any host for anything. */
const FLAGS = [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
];

/** Tests in a browser are skipped where there is none. */
export const hasBrowser = existsSync(CHROMIUM);
if (!hasBrowser) {
    console.log(
        `Skipped, as there is no Chromium at ${CHROMIUM}: \`sh scripts/setup.sh chromium\` installs it where apt has it, ` +
            'and CHROMIUM may name another.',
    );
}

/** The program, listening, and a browser for it. */
export interface BrowserTest {
    app: TestApp;
    /** The address of the console. */
    url: string;
    /** Somebody who has not been here before, from an address of his own. */
    visit: (options?: BrowserContextOptions) => Promise<Visit>;
    stop: () => Promise<void>;
}

export interface Visit {
    page: Page;
    /** What the browser complained of, but for answers that are errors: they belong to the tests. */
    complaints: string[];
    /** The addresses of other servers that were asked for. */
    strangers: string[];
    signIn: (account?: { email: string; password: string }) => Promise<void>;
    /** Goes to a section of the console, and waits for what it shows. */
    open: (section: string) => Promise<void>;
}

export async function startBrowserTest({ config, ...options }: AppOptions = {}): Promise<BrowserTest> {
    const browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
    const place = { HOST: '127.0.0.1', TRUSTED_PROXIES: ['127.0.0.1'] };
    const app = await startApp({ ...options, listen: true, config: { ...config, ...place } });
    const url = `http://127.0.0.1:${app.server.info.port}/admin`;
    return {
        app,
        url,
        visit: (options = {}) => newVisit(browser, url, options),
        stop: async () => {
            await browser.close();
            await app.stop();
        },
    };
}

async function newVisit(browser: Browser, url: string, options: BrowserContextOptions): Promise<Visit> {
    const context = await browser.newContext({
        viewport: { width: 1280, height: 900 },
        ...options,
        extraHTTPHeaders: { 'x-forwarded-for': randomAddress() },
    });
    const page = await context.newPage();
    page.setDefaultTimeout(20_000);
    const [complaints, strangers]: [string[], string[]] = [[], []];
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('dialog', (dialog) => complaints.push(dialog.message()));
    page.on('console', (message) => {
        const isAnswer = message.text().startsWith('Failed to load resource');
        if (message.type() === 'error' && !isAnswer) complaints.push(message.text());
    });
    page.on('request', (request) => {
        if (new URL(request.url()).host !== new URL(url).host) strangers.push(request.url());
    });
    const signIn = async ({ email, password } = PLATFORM_ADMIN) => {
        await page.goto(url);
        await page.getByLabel('E-mail').fill(email);
        await page.getByLabel('Password').fill(password);
        await page.getByRole('button', { name: 'Sign in' }).click();
        await page.getByRole('button', { name: 'Sign out' }).waitFor();
        await isSettled(page);
    };
    const open = async (section: string) => {
        await page.getByRole('navigation', { name: 'Sections' }).getByText(section, { exact: true }).click();
        await page.getByRole('heading', { name: section, level: 1 }).waitFor();
        await isSettled(page);
    };
    return { page, complaints, strangers, signIn, open };
}

/** Waits until nothing is loaded any more. */
const isSettled = (page: Page) => page.locator('main:not(:has([aria-busy]))').waitFor();

/** Keeps a picture of the page for whoever wants to see it. */
export async function keepPicture(page: Page, name: string): Promise<void> {
    const folder = join(packageRoot(), 'test-results');
    mkdirSync(folder, { recursive: true });
    await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
}
