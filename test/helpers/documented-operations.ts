import { newTenant, platformToken } from './tenant.ts';

import type { Answer, TestApp } from './app.ts';

/** Asks every operation about running the platform for what it has to say, and has the answers looked at. */
export async function askAboutOperations(
    app: TestApp,
    look: (method: string, path: string, answer: Answer) => void,
): Promise<void> {
    const own = await newTenant(app);
    const token = await platformToken(app);
    const config = '/api/admin/config';
    const ask = async (method: string, path: string, payload?: object, headers: Record<string, string> = {}) => {
        const options = { ...(payload && { payload }), headers };
        for (const credential of [{ token: own.accessToken }, {}]) {
            look(method, path, await app.call(method, path, { ...options, ...credential }));
        }
        look(method, path, await app.call(method, path, { ...options, token }));
    };
    await ask('get', config);
    // What it is by default: other tests share the platform.
    await ask('patch', config, { registration: null });
    await ask('patch', config, { registration: 'maybe' });
    await ask('patch', config, { registration: null }, { 'if-match': '"999999"' });
}
