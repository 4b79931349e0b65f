import { newTenant, platformToken } from './tenant.ts';

import type { Answer, CallOptions, TestApp } from './app.ts';

/** Asks every operation about running the platform for what it has to say, and has the answers looked at. */
export async function askAboutOperations(
    app: TestApp,
    look: (method: string, path: string, answer: Answer) => void,
): Promise<void> {
    const own = await newTenant(app);
    const token = await platformToken(app);
    const config = '/api/admin/config';
    const ask = async (method: string, path: string, payload?: object, headers: Record<string, string> = {}) => {
        await askAt(method, path, path, { ...(payload && { payload }), headers });
    };
    const askAt = async (method: string, path: string, url: string, options: CallOptions = {}) => {
        for (const credential of [{ token: own.accessToken }, {}]) {
            look(method, path, await app.call(method, url, { ...options, ...credential }));
        }
        look(method, path, await app.call(method, url, { ...options, token }));
    };
    await ask('get', config);
    // What it is by default: other tests share the platform.
    await ask('patch', config, { registration: null });
    await ask('patch', config, { registration: 'maybe' });
    await ask('patch', config, { registration: null }, { 'if-match': '"999999"' });

    const [breakers, jobs] = ['/api/admin/breakers', '/api/admin/jobs'];
    await ask('get', breakers);
    for (const name of ['ollama:http%3A%2F%2F127.0.0.1%3A1', encodeURIComponent(await breakerOf(app))]) {
        await askAt('post', `${breakers}/{name}/reset`, `${breakers}/${name}/reset`);
    }
    await ask('get', jobs);
    for (const query of ['?state=completed&limit=1', '?state=odd', '?cursor=foreign']) {
        await askAt('get', jobs, jobs + query);
    }
    for (const id of ['maintenance:gone', 'elsewhere']) {
        await askAt('post', `${jobs}/{jobId}/retry`, `${jobs}/${id}/retry`);
    }
}

const breakerOf = async (app: TestApp): Promise<string> =>
    Object.keys(await app.server.plugins.models.circuits())[0] ?? '';
