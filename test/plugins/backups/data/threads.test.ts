import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { startApp, type TestApp } from '../../../helpers/app.ts';
import { readAll, restore, tenantData, wipe } from '../../../helpers/tenant-data.ts';
import { newTenant, type TestTenant } from '../../../helpers/tenant.ts';
import { messagesPath, newThread } from '../../../helpers/thread.ts';

import type { TenantData } from '../../../../plugins/backups/api.ts';

export const lab = Lab.script();
const { describe, it, before, after, beforeEach } = lab;

describe('threads as aggregates', () => {
    let app: TestApp;
    let data: TenantData;
    let tenant: TestTenant;

    before(async () => {
        app = await startApp();
        data = tenantData(app);
    });
    after(() => app.stop());
    beforeEach(async () => {
        tenant = await newTenant(app);
    });

    const say = async (threadId: string, content: string) => {
        const answer = await tenant.call('POST', messagesPath(threadId), { payload: { content } });
        expect(answer.status).to.equal(200);
    };

    it('come back byte for byte after all is gone', async () => {
        const first = await newThread(tenant, 'Quince marmalade');
        await newThread(tenant, 'Another one');
        await say(first, 'Hello \u{1F600} there');
        await say(first, 'And again');
        const exported = await tenant.call('GET', `/api/threads/${first}/export?format=json`);
        const list = await tenant.call('GET', '/api/threads?limit=50');
        const told = await readAll(data, tenant.tenantId);
        expect(told.filter(({ kind }) => kind === 'thread').length).to.equal(2);

        await wipe(app.redis, tenant.tenantId);
        expect(await readAll(data, tenant.tenantId, ['database'])).to.equal([]);
        await restore(data, tenant.tenantId, told);

        expect(await readAll(data, tenant.tenantId)).to.equal(told);
        const again = await tenant.call('GET', `/api/threads/${first}/export?format=json`);
        expect(again.body ?? again.text).to.equal(exported.body ?? exported.text);
        expect((await tenant.call('GET', '/api/threads?limit=50')).body.data).to.equal(list.body.data);
        const found = await tenant.call('GET', '/api/threads?q=quince');
        expect(found.body.data.threads.map(({ id }: { id: string }) => id)).to.equal([first]);
        await say(first, 'It goes on');
    });
});
