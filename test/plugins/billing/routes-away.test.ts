import { setTimeout as sleep } from 'node:timers/promises';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { startApp } from '../../helpers/app.ts';
import { WITH_WELCOME, expectSound, newCashier } from '../../helpers/billing.ts';
import { expectError } from '../../helpers/expect-error.ts';
import { RestartableRedis } from '../../helpers/restartable-redis.ts';
import { newTenant } from '../../helpers/tenant.ts';

export const lab = Lab.script();
const { describe, it } = lab;

const BILLING = '/api/billing';
const REPORTS = ['credits', 'history', 'usage-summary', 'cost-analysis', 'invoices', 'invoices/2026-10', 'limits'];

describe('The routes of billing while Redis is away', () => {
    it('say so at once, and do nothing afterwards', async () => {
        const redis = new RestartableRedis();
        await redis.start();
        const app = await startApp({ ...WITH_WELCOME, redisPath: redis.path, isImpatient: true });
        const ada = await newTenant(app);
        const cashier = await newCashier(app);
        await redis.kill();
        const start = performance.now();
        const answers = await Promise.all([
            ...REPORTS.map((name) => ada.call('GET', `${BILLING}/${name}`)),
            ada.call('PUT', `${BILLING}/limits`, { payload: { tenant: 1 } }),
            cashier.grant(ada.tenantId, 1_000_000, 'a grant'),
            cashier.refund({ tenantId: ada.tenantId, recordId: 'bill_01K9ZQ4V7N8M3T5R2W6X1Y0ABC' }),
        ]);
        expect(performance.now() - start).to.be.below(2_000);
        for (const answer of answers) expectError(answer, 'STORE_UNAVAILABLE');
        await redis.start();
        while ((await ada.call('GET', `${BILLING}/credits`)).status === 503) await sleep(20);
        expect(await expectSound(app.redis, ada.tenantId)).to.equal(5_000_000n);
        expect((await cashier.grant(ada.tenantId, 1_000_000, 'a grant')).status).to.equal(201);
        expect(await expectSound(app.redis, ada.tenantId)).to.equal(6_000_000n);
        await app.stop();
        await redis.remove();
    });
});
