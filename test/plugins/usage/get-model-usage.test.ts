import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { newKey } from '../../helpers/api-key.ts';
import { expectError, expectFaults } from '../../helpers/expect-error.ts';
import { DAYS } from '../../helpers/jobs.ts';
import { setLimits } from '../../helpers/limits.ts';
import { readUsage } from '../../helpers/model-usage.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';
import { messagesPath, newThread } from '../../helpers/thread.ts';
import { newUser } from '../../helpers/user.ts';
import { startWithWorker, type AppWithWorker } from '../../helpers/with-worker.ts';

import type { TestApp } from '../../helpers/app.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

const ROUTE = '/api/profile/usage/models';

describe('GET /api/profile/usage/models', () => {
    let app: TestApp;
    let due: AppWithWorker['due'];
    let stop: AppWithWorker['stop'];
    let ada: TestTenant;

    before(async () => {
        ({ app, due, stop } = await startWithWorker());
    });

    beforeEach(async () => {
        ada = await newTenant(app);
    });

    after(() => stop());

    const send = async (user: Pick<TestTenant, 'call'>) => {
        const { body } = await user.call('POST', '/api/threads', { payload: {} });
        await user.call('POST', messagesPath(body.data.thread.id), { payload: { content: 'Hello' } });
    };

    it('tells of 30 days unless asked for others, or of months', async () => {
        await newThread(ada);
        await send(ada);
        const days = await readUsage(ada);
        const stretch = ({ from, to }: { from: string; to: string }) => (Date.parse(to) - Date.parse(from)) / DAYS;
        expect([days.unit, stretch(days), days.total.calls]).to.equal(['day', 29, 1]);
        expect(stretch(await readUsage(ada, '?days=92'))).to.equal(91);
        const months = await readUsage(ada, '?months=2');
        expect([months.unit, months.to, months.total]).to.equal(['month', days.to.slice(0, 7), days.total]);
        expect(months.periods).to.equal([{ period: months.to, models: days.models }]);
    });

    it('forgets nothing of yesterday, and shows it where it is asked for', async () => {
        await send(ada);
        await app.advance(DAYS);
        await send(ada);
        expect((await readUsage(ada, '?days=1')).total.calls).to.equal(1);
        const { total, periods } = await readUsage(ada, '?days=2');
        expect([total.calls, periods.length]).to.equal([2, 2]);
    });

    for (const [query, fields] of [
        ['?days=0', ['days']],
        ['?days=93', ['days']],
        ['?months=26', ['months']],
        ['?days=x', ['days']],
        ['?since=2026', ['since']],
    ] as const) {
        it(`refuses ${query}`, async () => {
            expectFaults(await ada.call('GET', ROUTE + query), [...fields]);
        });
    }

    it('refuses days and months together', async () => {
        expectError(await ada.call('GET', `${ROUTE}?days=1&months=1`), 'VALIDATION_ERROR');
    });

    it('can be read when the quota of the month is used up', async () => {
        await setLimits(app, ada.tenantId, { requestsPerMonth: 0 });
        expectError(await ada.call('GET', '/api/threads'), 'QUOTA_EXCEEDED');
        expect((await ada.call('GET', ROUTE)).status).to.equal(200);
    });

    it('takes profile:read of an API key', async () => {
        const key = await newKey(ada, { scopes: ['profile:read'] });
        const other = await newKey(ada, { scopes: ['thread:read'] });
        expect((await app.call('GET', ROUTE, { token: key.secret })).status).to.equal(200);
        expectError(await app.call('GET', ROUTE, { token: other.secret }), 'FORBIDDEN');
    });

    it('is held to 60 a minute', () =>
        app.inNoTime(async () => {
            const answers = await Promise.all(Array.from({ length: 70 }, () => ada.call('GET', ROUTE)));
            const refused = answers.filter(({ status }) => status === 429);
            expect(refused.length).to.equal(10);
        }));

    it('has nothing left of a user who was purged, and all of others', async () => {
        const bob = await newUser(app, ada.tenantId, 'user');
        for (const user of [ada, bob]) await send(user);
        await ada.call('DELETE', `/api/users/${bob.userId}`);
        await due();
        await app.advance(31 * DAYS);
        await due();
        const keys = await app.redis.keys(`tenant:{${ada.tenantId}}:usage:*`);
        expect(keys.filter((key) => key.includes(bob.userId))).to.equal([]);
        expect(keys.filter((key) => key.includes(ada.userId))).to.have.length(2);
    });
});
