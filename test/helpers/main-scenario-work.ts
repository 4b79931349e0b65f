import { expect } from '@hapi/code';

import { startService } from './live-tunnel.ts';
import { newProxy } from './proxy.ts';
import { register, well, type Guest, type Scene } from './scene.ts';
import { resumeStream } from './stream.ts';
import { newThread } from './thread.ts';
import { spawnAgent, until } from './tunnel-agent.ts';
import { newRunningTunnel } from './tunnel.ts';
import { newWebhook } from './webhook.ts';

/** What goes on between replicas, agents, workers and receivers. */
export const work = {
    'relays through tunnels and proxies, from either replica': tunnels,
    'delivers webhooks': webhooks,
    'streams events as they happen': events,
    'makes backups, and begins to restore one': backups,
};

async function tunnels({ house: { apis, token }, ada }: Scene): Promise<void> {
    const premium = { token, payload: { plan: 'premium' } };
    well(await apis[0].call('PATCH', `/api/admin/tenants/${ada.tenantId}`, premium));
    const service = await startService((_request, response) => response.end('well'));
    const tunnel = await newRunningTunnel(ada);
    const agent = spawnAgent(['--url', apis[1].url, '--target', service.url], { LLM_TUNNEL_TOKEN: tunnel.token });
    try {
        const ask = async (path: string, call = ada.call) => (await call('GET', path)).text;
        await until(async () => (await ask(`/api/tunnels/${tunnel.tunnelId}/http/`)) === 'well');
        expect(await ask(`/api/tunnels/${tunnel.tunnelId}/http/`, ada.other)).to.equal('well');
        const { id } = await newProxy(ada, [tunnel.tunnelId]);
        well(await ada.other('POST', `/api/proxies/${id}/start`));
        for (const call of [ada.call, ada.other]) {
            await until(async () => (await ask(`/api/proxies/${id}/http/`, call)) === 'well');
        }
        const { status } = well(await ada.call('GET', `/api/proxies/${id}/status`));
        expect(status.desired).to.equal('running');
        well(await ada.call('DELETE', `/api/proxies/${id}`));
        well(await ada.other('DELETE', `/api/tunnels/${tunnel.tunnelId}`));
    } finally {
        await agent.stop();
        await service.stop();
    }
}

async function webhooks({ house: { receiver }, tenants }: Scene): Promise<void> {
    const hooks = await Promise.all(tenants.map((tenant) => newWebhook(tenant, receiver.url)));
    const threads = await Promise.all(tenants.map((tenant) => newThread(tenant, 'To be told of')));
    const told = (threadId: string) => receiver.received.some(({ body }) => body.includes(threadId));
    await until(() => threads.every(told));
    for (const [n, { call, other }] of tenants.entries()) {
        const path = `${hooks[n]?.path}/deliveries`;
        const delivered = async () =>
            well(await other('GET', path)).deliveries.map(({ status }: { status: string }) => status);
        await until(async () => String(await delivered()) === 'delivered');
        well(await call('DELETE', String(hooks[n]?.path)));
    }
}

async function events({ house: { apis }, tenants }: Scene): Promise<void> {
    await Promise.all(
        tenants.map(async (tenant) => {
            const stream = await resumeStream(`${apis[1].url}/api/events/stream`, tenant.accessToken);
            await stream.until(({ event }) => event === 'ready');
            const threadId = await newThread(tenant, 'To be seen');
            await stream.until(({ data }) => data.data?.threadId === threadId || data.threadId === threadId);
            stream.leave();
        }),
    );
}

async function backups(scene: Scene): Promise<void> {
    const { house, tenants } = scene;
    const restored = await register(house.apis);
    const ids = await Promise.all([restored, ...tenants].map(backUp));
    const { call, other } = restored;
    const path = `/api/backups/${ids[0]}`;
    const lost = await newThread(restored, 'After the backup');
    well(await other('POST', `${path}/verify`));
    await until(async () => well(await call('GET', `${path}/details`)).backup.state === 'verified');
    expect((await other('GET', `${path}/download`)).status).to.equal(200);
    const payload = { components: ['database', 'config', 'deployment'] };
    const { restore } = well(await other('POST', `${path}/restore`, { payload }));
    // It takes its time, in which others go on.
    scene.untilRestored = async () => {
        await until(async () => {
            // Refused while it is put in.
            const { status, body } = await call('GET', `/api/backups/restores/${restore.id}`);
            return status === 200 && body.data.restore.state === 'completed';
        }, 60_000);
        expect((await other('GET', `/api/threads/${lost}`)).status).to.equal(404);
    };
}

async function backUp({ call, other }: Guest): Promise<string> {
    const { backup } = well(await call('POST', '/api/backups/create', { payload: { type: 'full' } }));
    const state = async () => String(well(await other('GET', `/api/backups/${backup.id}/details`)).backup.state);
    await until(async () => (await state()) !== 'in_progress');
    expect(await state()).to.equal('completed');
    return String(backup.id);
}
