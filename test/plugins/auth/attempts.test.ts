import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { tenantKey } from '../../../src/redis/keys.ts';
import { randomAddress, startApp, type Answer, type TestApp } from '../../helpers/app.ts';
import { readAudit } from '../../helpers/audit.ts';
import { expectError } from '../../helpers/expect-error.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

const MINUTE_MS = 60_000;
const codesOf = (answers: Answer[]): string[] => answers.map(({ body }) => body.error?.code ?? 'success');
const count = (codes: string[], code: string): number => codes.filter((one) => one === code).length;

describe('failed logins', () => {
    let app: TestApp;

    before(async () => {
        app = await startApp();
    });

    after(() => app.stop());

    const login = (payload: object, options: object = {}) => app.call('POST', '/api/login', { payload, ...options });
    const wrong = ({ email }: Pick<TestTenant, 'email'>) => login({ email, password: 'not the password' });
    const right = ({ email, password }: TestTenant) => login({ email, password });
    const fail = async (account: Pick<TestTenant, 'email'>, times: number) => {
        for (let n = 0; n < times; n++) expectError(await wrong(account), 'INVALID_CREDENTIALS');
    };

    it('delay the account after five, also for the right password', async () => {
        const tenant = await newTenant(app);
        await fail(tenant, 5);
        const refused = await right(tenant);
        expectError(refused, 'ACCOUNT_DELAYED');
        expect(Number(refused.headers['retry-after'])).to.be.within(20, 30);
        expect((await readAudit(app, tenant.tenantId)).at(-1)).to.include({
            action: 'auth.login',
            resourceId: tenant.userId,
            result: 'ACCOUNT_DELAYED',
        });
    });

    it('delay longer each time, up to 15 minutes', async () => {
        const tenant = await newTenant(app);
        await fail(tenant, 5);
        for (const seconds of [30, 60, 120, 240, 480, 900, 900]) {
            const delayed = await right(tenant);
            expectError(delayed, 'ACCOUNT_DELAYED');
            expect(Number(delayed.headers['retry-after'])).to.be.within(seconds - 10, seconds);
            await app.advance(seconds * 1000);
            await fail(tenant, 1);
        }
    });

    it('are forgotten after a success', async () => {
        const tenant = await newTenant(app);
        await fail(tenant, 4);
        expect((await right(tenant)).status).to.equal(200);
        await fail(tenant, 4);
        expect((await right(tenant)).status).to.equal(200);
        await fail(tenant, 5);
        await app.advance(30_000);
        expect((await right(tenant)).status).to.equal(200);
        await fail(tenant, 5);
    });

    it('are forgotten after 15 minutes', async () => {
        const tenant = await newTenant(app);
        await fail(tenant, 4);
        await app.advance(15 * MINUTE_MS);
        await fail(tenant, 5);
        expectError(await right(tenant), 'ACCOUNT_DELAYED');
    });

    it('delay accounts that do not exist just so', async () => {
        const { domain } = await newTenant(app);
        const known = await newTenant(app);
        const accounts = [{ email: known.email }, { email: `nobody@${domain}` }, { email: `ada@unknown.${domain}` }];
        for (const account of accounts) {
            await fail(account, 5);
            const { details, message } = expectError(await wrong(account), 'ACCOUNT_DELAYED');
            expect(details).to.be.undefined();
            expect(message).to.not.include('account');
        }
    });

    it('are those of one tenant’s account, however the tenant was named', async () => {
        const [tenant, other] = [await newTenant(app), await newTenant(app)];
        const { email, domain, tenantId } = tenant;
        const password = 'not the password';
        for (const place of [{}, { domain }, { tenantId }, {}, { domain }]) {
            expectError(await login({ email, password, ...place }), 'INVALID_CREDENTIALS');
        }
        expectError(await login({ email, password, tenantId }), 'ACCOUNT_DELAYED');
        expectError(await login({ email, password, tenantId: other.tenantId }), 'INVALID_CREDENTIALS');
        expect((await right(other)).status).to.equal(200);
    });

    it('cannot slip past the limit by coming all at once, to two replicas', async () => {
        const { JWT_KEYS, VAULT_KEYS } = app.config;
        const tenant = await newTenant(app);
        const config = { JWT_KEYS, VAULT_KEYS };
        const [one, two] = [await startApp({ config }), await startApp({ config })];
        const payload = { email: tenant.email, password: 'not the password' };
        const answers = await Promise.all(
            Array.from({ length: 50 }, (_, n) => (n % 2 ? one : two).call('POST', '/api/login', { payload })),
        );
        const codes = codesOf(answers);
        expect(count(codes, 'INVALID_CREDENTIALS')).to.equal(5);
        expect(count(codes, 'ACCOUNT_DELAYED')).to.equal(45);
        await Promise.all([one.stop(), two.stop()]);
    });

    it('delay an IP address after twenty, whatever the accounts', async () => {
        const tenant = await newTenant(app);
        const from = randomAddress();
        for (let n = 0; n < 20; n++) {
            // The limit of the login is 5 a minute.
            if (n % 5 === 0) await app.advance(MINUTE_MS);
            const refused = await login({ email: `user-${n}@${tenant.domain}`, password: 'a guess' }, { from });
            expectError(refused, 'INVALID_CREDENTIALS');
        }
        await app.advance(20_000);
        const payload = { email: tenant.email, password: tenant.password };
        expectError(await login(payload, { from }), 'ACCOUNT_DELAYED');
        expect((await login(payload)).status).to.equal(200);
        await app.advance(10_000);
        expect((await login(payload, { from })).status).to.equal(200);
        // One success of his own does not let anybody begin anew: the next failure is the 21st.
        await app.advance(20_000);
        const next = { email: `last@${tenant.domain}`, password: 'a guess' };
        expectError(await login(next, { from }), 'INVALID_CREDENTIALS');
        expectError(await login(next, { from }), 'ACCOUNT_DELAYED');
    });

    it('are kept without the address of the account', async () => {
        const { email } = await newTenant(app);
        await wrong({ email });
        const keys = await app.redis.keys(tenantKey('platform', 'failures', 'account', '*'));
        expect(keys.length).to.be.above(0);
        for (const key of keys) expect(key).to.match(/:[0-9a-f]{64}$/);
        expect(await app.redis.pttl(keys[0] ?? '')).to.be.within(1, 30 * MINUTE_MS);
    });

    it('are not those that the server had no time for', async () => {
        const tenant = await newTenant(app);
        // Hashes take longer there than requests take to come, on slow machines too.
        const slow = await startApp({ config: { BCRYPT_COST: 8 } });
        const busy = await Promise.all(
            Array.from({ length: 160 }, (_, n) => {
                const payload = { email: `busy-${n}@${tenant.domain}`, password: 'a guess' };
                return slow.call('POST', '/api/login', { payload });
            }),
        );
        await slow.stop();
        const refused = busy.flatMap(({ status }, n) => (status === 503 ? [`busy-${n}@${tenant.domain}`] : []));
        expect(refused.length).to.be.above(0);
        const [email = ''] = refused;
        await fail({ email }, 5);
    });
});
