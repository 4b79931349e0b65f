import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { startApp, type TestApp } from '../../helpers/app.ts';
import { readAudit } from '../../helpers/audit.ts';
import { writeCatalogue } from '../../helpers/catalogue.ts';
import { expectError, expectFaults } from '../../helpers/expect-error.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';
import { newUser, setUserField } from '../../helpers/user.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

const ROUTE = '/api/profile';

describe('/api/profile', () => {
    let app: TestApp;
    let ada: TestTenant;

    before(async () => {
        app = await startApp({
            config: { CATALOGUE_FILE: writeCatalogue([{ id: 'sandbox', aliases: ['toy'] }]) },
        });
    });

    beforeEach(async () => {
        ada = await newTenant(app);
    });

    after(() => app.stop());

    const patch = (payload: object, headers = {}) => ada.call('PATCH', ROUTE, { payload, headers });
    const read = async () => (await ada.call('GET', ROUTE)).body.data.user;

    describe('GET', () => {
        it('shows the user with what is usual where nothing was chosen', async () => {
            const { status, headers, body } = await ada.call('GET', ROUTE);
            expect(status).to.equal(200);
            const { user } = body.data;
            expect(user).to.include({ id: ada.userId, username: ada.email, displayName: 'ada', revision: 1 });
            expect(user.settings).to.equal({
                defaultModel: null,
                defaultTemperature: null,
                systemPrompt: null,
                summarizationInterval: 10,
            });
            expect(user.preferences).to.equal({
                theme: 'system',
                language: 'en',
                notifications: { email: true, browser: false },
            });
            const none = { configured: false };
            expect(user.apiKeys).to.equal({ claude: none, openai: none, google: none });
            expect(user.avatar).to.equal(none);
            expect(user).to.not.include(['passwordHash', 'epoch']);
            expect(headers).to.include({ etag: '"1"', 'x-ratelimit-limit': '60' });
        });

        it('shows each user the own profile', async () => {
            const bob = await newUser(app, ada.tenantId, 'user');
            await patch({ settings: { systemPrompt: 'For Ada only' } });
            const { body, text } = await bob.call('GET', ROUTE);
            expect(body.data.user.id).to.equal(bob.userId);
            expect(text).to.not.include('For Ada only');
        });
    });

    describe('PATCH', () => {
        it('changes what is given and leaves the rest', async () => {
            const { status, headers } = await patch({
                displayName: ' Ada L. ',
                settings: { systemPrompt: 'Be brief' },
            });
            expect(status).to.equal(200);
            expect(headers['x-ratelimit-limit']).to.equal('20');
            await patch({ settings: { defaultTemperature: 0 }, preferences: { notifications: { browser: true } } });
            const { body } = await patch({ preferences: { theme: 'dark', language: 'pt-br' } });
            const { user } = body.data;
            expect(user.displayName).to.equal('Ada L.');
            expect(user.settings).to.include({ systemPrompt: 'Be brief', defaultTemperature: 0 });
            expect(user.preferences).to.equal({
                theme: 'dark',
                language: 'pt-BR',
                notifications: { email: true, browser: true },
            });
            expect(await read()).to.equal(user);
        });

        it('lets a user be found by the new name, and by the old one no more', async () => {
            const find = async (q: string) => (await ada.call('GET', `/api/users?q=${q}`)).body.data.users.length;
            await patch({ displayName: 'Augusta King' });
            expect([await find('king'), await find('august'), await find(ada.email)]).to.equal([1, 1, 1]);
            await patch({ displayName: 'Countess' });
            expect([await find('king'), await find('countess'), await find(ada.email)]).to.equal([0, 1, 1]);
        });

        it('takes a setting back with null', async () => {
            const usual = await read();
            await patch({ settings: { systemPrompt: 'x', defaultTemperature: 1, defaultModel: 'sandbox' } });
            await patch({ settings: { systemPrompt: null, defaultTemperature: null, defaultModel: null } });
            expect((await read()).settings).to.equal(usual.settings);
        });

        it('stores the id of the model that an alias stands for, and refuses one that is not there', async () => {
            const { body } = await patch({ settings: { defaultModel: 'toy' } });
            expect(body.data.user.settings.defaultModel).to.equal('sandbox');
            expectError(await patch({ settings: { defaultModel: 'gpt-0' } }), 'MODEL_NOT_FOUND');
            expect((await read()).settings.defaultModel).to.equal('sandbox');
        });

        for (const [payload, field] of [
            [{}, 'body'],
            [{ email: 'eve@evil.example' }, 'email'],
            [{ role: 'superadmin' }, 'role'],
            [{ displayName: ' ' }, 'displayName'],
            [{ settings: { temperature: 1 } }, 'settings.temperature'],
            [{ settings: { systemPrompt: 'x'.repeat(2_001) } }, 'settings.systemPrompt'],
            [{ settings: { summarizationInterval: 0 } }, 'settings.summarizationInterval'],
            [{ settings: { summarizationInterval: 101 } }, 'settings.summarizationInterval'],
            [{ settings: { defaultTemperature: 2.1 } }, 'settings.defaultTemperature'],
            [{ preferences: { theme: 'pink' } }, 'preferences.theme'],
            [{ preferences: { language: 'not a language' } }, 'preferences.language'],
            [{ preferences: { notifications: { pigeon: true } } }, 'preferences.notifications.pigeon'],
        ] as [object, string][]) {
            it(`refuses ${JSON.stringify(payload).slice(0, 60)}`, async () => {
                expectFaults(await patch(payload), [field]);
                expect((await read()).revision).to.equal(1);
            });
        }

        it('changes only the revision that If-Match names, whichever part of it changed', async () => {
            const { etag } = (await ada.call('GET', ROUTE)).headers;
            expect((await patch({ preferences: { theme: 'dark' } }, { 'if-match': etag })).status).to.equal(200);
            expectError(await patch({ displayName: 'Late' }, { 'if-match': etag }), 'REVISION_MISMATCH');
            const second = (await ada.call('GET', ROUTE)).headers.etag;
            const renamed = await patch({ displayName: 'In time' }, { 'if-match': second });
            expect(renamed.status).to.equal(200);
            expect(renamed.headers.etag).to.equal((await ada.call('GET', ROUTE)).headers.etag);
            expectError(await patch({ preferences: { theme: 'light' } }, { 'if-match': second }), 'REVISION_MISMATCH');
            expect(await read()).to.include({ displayName: 'In time' });
        });

        it('lets exactly one of many through that were made of the same revision', async () => {
            const answers = await Promise.all(
                Array.from({ length: 15 }, (_, n) => patch({ displayName: `Ada ${n}` }, { 'if-match': '"1"' })),
            );
            expect(answers.filter(({ status }) => status === 200)).to.have.length(1);
            expect(answers.filter(({ status }) => status === 412)).to.have.length(14);
        });

        it('loses none of many changes to different fields', async () => {
            await Promise.all([
                patch({ displayName: 'Ada L.' }),
                patch({ settings: { systemPrompt: 'Be brief' } }),
                patch({ settings: { defaultTemperature: 0.5 } }),
                patch({ settings: { summarizationInterval: 20 } }),
                patch({ preferences: { theme: 'dark' } }),
                patch({ preferences: { notifications: { email: false } } }),
            ]);
            const { displayName, settings, preferences } = await read();
            expect(displayName).to.equal('Ada L.');
            expect(settings).to.include({
                systemPrompt: 'Be brief',
                defaultTemperature: 0.5,
                summarizationInterval: 20,
            });
            expect(preferences).to.include({ theme: 'dark' });
            expect(preferences.notifications.email).to.be.false();
        });

        it('is audited with the names of the fields and without what they say', async () => {
            await patch({ displayName: 'Hush', settings: { systemPrompt: 'My secret prompt' } });
            const entry = (await readAudit(app, ada.tenantId)).at(-1);
            expect(entry).to.include({ action: 'profile.update', userId: ada.userId, result: 'success' });
            expect(JSON.parse(entry?.details ?? '')).to.equal({ changed: ['displayName', 'systemPrompt'] });
            expect(JSON.stringify(app.logs)).to.not.include('My secret prompt');
        });
    });

    it('needs a credential and the permission', async () => {
        expectError(await app.call('GET', ROUTE), 'UNAUTHENTICATED');
        const stranger = await newUser(app, ada.tenantId, 'user');
        await setUserField(app, ada.tenantId, stranger.userId, 'role', 'support');
        expectError(await stranger.call('GET', ROUTE), 'FORBIDDEN');
        expectError(await stranger.call('PATCH', ROUTE, { payload: { displayName: 'x' } }), 'FORBIDDEN');
    });
});
