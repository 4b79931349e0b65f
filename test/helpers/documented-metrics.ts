import { newTenant, platformToken } from './tenant.ts';

import type { Answer, TestApp } from './app.ts';

/** Asks for the metrics and the replicas, and has the answers looked at. */
export async function askAboutMetrics(
    app: TestApp,
    look: (method: string, path: string, answer: Answer) => void,
): Promise<void> {
    for (const from of ['10.0.0.1', '8.8.8.8']) look('get', '/metrics', await app.call('GET', '/metrics', { from }));
    const replicas = '/api/admin/replicas';
    await app.server.plugins.metrics.announce();
    look('get', replicas, await app.call('GET', replicas, { token: await platformToken(app) }));
    look('get', replicas, await (await newTenant(app)).call('GET', replicas));
}
