import { expect } from '@hapi/code';

import { expectSound } from './billing.ts';
import { COST } from './house.ts';
import { well, type Guest, type Scene } from './scene.ts';
import { messagesPath, newThread } from './thread.ts';
import { until } from './tunnel-agent.ts';
import { newProject, vmPayload } from './vm.ts';
import { tenantKey } from '../../src/redis/keys.ts';

import type { House } from './house.ts';

const GIFT = 1_000_000;

/** What is paid for, and what it comes to. */
export const money = {
    'grants credits, and charges for calls by hold and settlement': calls,
    'runs VMs in projects': machines,
    'tells what was paid': accounts,
};

/** Has the platform's admin give a tenant credits. */
export const grant = ({ apis, token }: House, { tenantId }: Guest, amountMicros: number, key: string) =>
    apis[0].call('POST', '/api/billing/credits', {
        token,
        payload: { tenantId, amountMicros, reason: 'A gift' },
        headers: { 'idempotency-key': key },
    });

const creditsOf = async ({ call }: Guest) => well(await call('GET', '/api/billing/credits')).credits;

async function calls({ house, tenants }: Scene): Promise<void> {
    for (const tenant of tenants) {
        const { tenantId, call, other } = tenant;
        well(await grant(house, tenant, GIFT, `gift-${tenantId}`));
        // Said twice, it is given once.
        well(await grant(house, tenant, GIFT, `gift-${tenantId}`));
        const path = messagesPath(await newThread(tenant), 'remote');
        const said = well(await call('POST', path, { payload: { content: 'Hello' } }));
        expect(said.assistantMessage.content).to.equal('Paid');
        const messages = [{ role: 'user', content: 'Hello' }];
        const { status } = await other('POST', '/v1/chat/completions', { payload: { model: 'remote', messages } });
        expect(status).to.equal(200);
        expect(await creditsOf(tenant)).to.include({ balanceMicros: GIFT - 2 * Number(COST), heldMicros: 0 });
        await expectSound(await house.redisOf(tenantKey(tenantId, 'credits')), tenantId);
    }
}

async function machines({ house, ada }: Scene): Promise<void> {
    const projectId = await newProject(ada);
    const { vm } = well(await ada.call('POST', '/api/vms', { payload: vmPayload(projectId) }));
    const settled = async (status: string) => {
        await until(async () => {
            const seen = well(await ada.other('GET', `/api/vms/${vm.id}`)).vm;
            return seen.pending === null && seen.status === status;
        });
    };
    await settled('running');
    well(await ada.call('POST', `/api/vms/${vm.id}/stop`));
    await settled('stopped');
    well(await ada.other('POST', `/api/vms/${vm.id}/start`));
    await settled('running');
    well(await ada.other('DELETE', `/api/vms/${vm.id}`));
    await until(async () => (await ada.call('GET', `/api/vms/${vm.id}`)).status === 404);
    well(await ada.call('DELETE', `/api/projects/${projectId}`));
    await expectSound(await house.redisOf(tenantKey(ada.tenantId, 'credits')), ada.tenantId);
}

async function accounts({ ada, tenants }: Scene): Promise<void> {
    for (const tenant of tenants) {
        const { call, other } = tenant;
        const { records } = well(await call('GET', '/api/billing/history?limit=100'));
        const sum = records.reduce((all: number, { amountMicros }: { amountMicros: number }) => all + amountMicros, 0);
        expect(sum).to.equal((await creditsOf(tenant)).balanceMicros);
        // Of a month that is over there is none yet.
        expect(well(await other('GET', '/api/billing/invoices')).invoices).to.equal([]);
        const month = new Date().toISOString().slice(0, 7);
        const { invoice } = well(await call('GET', `/api/billing/invoices/${month}`));
        expect(invoice.closingMicros).to.equal(sum);
        const { summary } = well(await call('GET', '/api/billing/usage-summary?period=1d'));
        expect(summary.spentMicros).to.equal(GIFT - sum);
        well(await other('GET', '/api/billing/cost-analysis'));
    }
    well(await ada.call('PUT', '/api/billing/limits', { payload: { tenant: 1_000_000_000 } }));
    expect(well(await ada.other('GET', '/api/billing/limits')).limits).to.be.an.object();
}
