import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { dollars } from '../../../src/money.ts';
import { startApp, type TestApp } from '../../helpers/app.ts';
import { newMember } from '../../helpers/invite.ts';
import { openQueue, type TestQueue } from '../../helpers/jobs.ts';
import { startRedis, type TestRedis } from '../../helpers/redis.ts';
import { newTenant, platformToken, type TestTenant } from '../../helpers/tenant.ts';
import { giveCredit, newProject, vmPayload } from '../../helpers/vm.ts';
import { newWebhook } from '../../helpers/webhook.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

const REQUEST_ID = 'req-that-leaves-a-job';
const headers = { 'x-request-id': REQUEST_ID };

describe('a job', () => {
    let redis: TestRedis;
    let app: TestApp;
    let queue: TestQueue;
    let ada: TestTenant;

    before(async () => {
        redis = await startRedis();
        app = await startApp({ redisPath: redis.path, config: { WEBHOOK_ALLOW_PRIVATE: true } });
        queue = await openQueue(redis.path);
        ada = await newTenant(app);
        await giveCredit(app, ada.tenantId, dollars(10));
    });

    after(async () => {
        await queue.close();
        await app.stop();
        await redis.stop();
    });

    /** The request id in the newest job of that name. */
    const idIn = async (name: string): Promise<string | undefined> => {
        const jobs = await queue.queue.getJobs(['waiting', 'delayed']);
        return jobs.find((job) => job.name === name)?.data.requestId;
    };

    const ASKED: [job: string, ask: () => Promise<{ status: number }>][] = [
        ['purge-user', async () => ada.call('DELETE', `/api/users/${await newMember(ada)}`, { headers })],
        [
            'remove-webhook-deliveries',
            async () => ada.call('DELETE', (await newWebhook(ada, 'http://127.0.0.1:9999/hook')).path, { headers }),
        ],
        ['create-backup', () => ada.call('POST', '/api/backups/create', { payload: { type: 'full' }, headers })],
        [
            'operate-vm',
            async () => {
                const payload = vmPayload(await newProject(ada));
                return ada.call('POST', '/api/vms', { payload, headers });
            },
        ],
        [
            'purge-tenant',
            async () => {
                const { tenantId } = await newTenant(app);
                const token = await platformToken(app);
                return app.call('DELETE', `/api/admin/tenants/${tenantId}`, { token, headers });
            },
        ],
    ];
    for (const [name, ask] of ASKED) {
        it(`of the name ${name} has the id of the request that has left it`, async () => {
            expect((await ask()).status).to.be.below(300);
            expect(await idIn(name)).to.equal(REQUEST_ID);
        });
    }
});
