import { newTenant } from './tenant.ts';
import { portOf } from './tunnel.ts';
import { newUser } from './user.ts';

import type { Answer, TestApp } from './app.ts';

/** Asks every operation about tunnels for what it has to say, and has the answers looked at. */
export async function askAboutTunnels(
    app: TestApp,
    look: (method: string, path: string, answer: Answer) => void,
): Promise<void> {
    const own = await newTenant(app);
    const other = await newUser(app, own.tenantId, 'user');
    const gone = 'tun_00000000000000000000000000';
    const [all, one] = ['/api/tunnels', '/api/tunnels/{tunnelId}'];
    const ask = async (method: string, path: string, ids: string[] = [], options = {}, user = own) => {
        const left = [...ids];
        const url = path.replaceAll(/\{\w+\}/g, () => left.shift() ?? 'x');
        const answer = await user.call(method.toUpperCase(), url, options);
        look(method, path, answer);
        return answer.body?.data;
    };
    const stale = { 'if-match': '"99"' };
    const id = String((await ask('post', all, [], { payload: { name: 'home' } })).tunnel.id);
    for (const payload of [{ name: 'home' }, {}]) await ask('post', all, [], { payload });
    await ask('get', all);
    for (const tunnel of [id, gone]) {
        await ask('get', one, [tunnel]);
        for (const what of ['status', 'health', 'metrics', 'diagnostics', 'activity']) {
            await ask('get', `${one}/${what}`, [tunnel]);
        }
    }
    await ask('patch', one, [id], { payload: { reset: true } });
    await ask('patch', one, [id], { payload: { reset: true }, headers: stale });
    for (const method of ['get', 'post', 'put', 'patch', 'delete', 'head', 'options']) {
        await ask(method, `${one}/http/{path}`, [id, 'api/tags']);
    }
    for (const operation of ['start', 'start', 'stop', 'stop', 'token']) await ask('post', `${one}/${operation}`, [id]);

    const [endpoints, endpoint] = [`${one}/endpoints`, `${one}/endpoints/{endpointId}`];
    const payload = { url: 'http://localhost:11434' };
    const endpointId = String((await ask('post', endpoints, [id], { payload })).endpoint.id);
    await portOf(app).setHealth({ tenantId: own.tenantId, tunnelId: id }, [
        { endpoint: endpointId, isHealthy: false, latencyMs: null, error: 'refused' },
    ]);
    await ask('get', endpoints, [id]);
    await ask('get', `${one}/health`, [id]);
    await ask('patch', endpoint, [id, endpointId], { payload: { priority: 1 } });
    await ask('delete', endpoint, [id, endpointId], { headers: stale });
    for (let times = 0; times < 2; times++) await ask('delete', endpoint, [id, endpointId]);

    const [shares, share] = [`${one}/shares`, `${one}/shares/{shareId}`];
    const withOther = { payload: { userId: other.userId } };
    const shareId = String((await ask('post', shares, [id], withOther)).share.id);
    await ask('post', shares, [id], withOther);
    await ask('post', shares, [id], { payload: { maxUses: 3 } });
    await ask('get', shares, [id]);
    look('get', shares, await other.call('GET', `/api/tunnels/${id}/shares`));
    for (let times = 0; times < 2; times++) await ask('delete', share, [id, shareId]);

    portOf(app).count(
        { tenantId: own.tenantId, tunnelId: id },
        { outcome: 'success', latencyMs: 12, bytesIn: 10, bytesOut: 20 },
    );
    await app.server.plugins.tunnels.flush();
    await ask('get', `${one}/metrics`, [id]);
    await ask('get', `${all}/metrics`);
    await ask('delete', one, [id], { headers: stale });
    for (let times = 0; times < 2; times++) await ask('delete', one, [id]);
}
