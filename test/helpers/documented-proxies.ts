import { newProxyTenant, NOBODYS_PROXY } from './proxy.ts';
import { newTunnel } from './tunnel.ts';

import type { Answer, TestApp } from './app.ts';

/** Asks every operation about proxies, for what it has to say, and has the answers looked at. */
export async function askAboutProxies(
    app: TestApp,
    look: (method: string, path: string, answer: Answer) => void,
): Promise<void> {
    const own = await newProxyTenant(app);
    const [all, one] = ['/api/proxies', '/api/proxies/{proxyId}'];
    const ask = async (method: string, path: string, id = '', options = {}) => {
        const answer = await own.call(
            method.toUpperCase(),
            path.replace('{proxyId}', id).replace('{path}', 'x'),
            options,
        );
        look(method, path, answer);
        return answer.body?.data;
    };
    const stale = { 'if-match': '"99"' };
    const members = [{ tunnelId: await newTunnel(own) }];
    const payload = { name: 'ollama', members, config: { retries: 0 } };
    const id = String((await ask('post', all, '', { payload })).proxy.id);
    const foreign = { name: 'other', members: [{ tunnelId: 'tun_00000000000000000000000000' }] };
    for (const refused of [payload, foreign, {}]) await ask('post', all, '', { payload: refused });
    await ask('get', all);
    await ask('patch', one, id, { payload: { strategy: 'round_robin' } });
    await ask('patch', one, id, { payload: { reset: true }, headers: stale });
    for (const operation of ['start', 'start']) await ask('post', `${one}/${operation}`, id);
    for (const replicas of [2, 9, 11]) await ask('post', `${one}/scale`, id, { payload: { replicas } });
    for (const proxy of [id, NOBODYS_PROXY]) {
        await ask('get', one, proxy);
        for (const what of ['status', 'health', 'diagnostics', 'metrics']) await ask('get', `${one}/${what}`, proxy);
    }
    for (const method of ['get', 'post', 'put', 'patch', 'delete', 'head', 'options']) {
        await ask(method, `${one}/http/{path}`, id);
    }
    for (const operation of ['stop', 'stop']) await ask('post', `${one}/${operation}`, id);
    await ask('delete', one, id, { headers: stale });
    for (let times = 0; times < 2; times++) await ask('delete', one, id);
}
