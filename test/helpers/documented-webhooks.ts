import { newTenant } from './tenant.ts';
import { newEvent, take } from './webhook.ts';

import type { Answer, TestApp } from './app.ts';

/** Asks every operation about webhooks for what it has to say, and has the answers looked at. */
export async function askAboutWebhooks(
    app: TestApp,
    look: (method: string, path: string, answer: Answer) => void,
): Promise<void> {
    const webhooks = '/api/webhooks';
    const webhook = `${webhooks}/{webhookId}`;
    const deliveries = `${webhook}/deliveries`;
    const delivery = `${deliveries}/{deliveryId}`;
    const gone = 'hook_00000000000000000000000000';
    const own = await newTenant(app);
    const ask = async (method: string, path: string, ids: string[] = [], options = {}) => {
        let n = 0;
        const url = path.replace(/\{\w+\}/g, () => ids[n++] ?? 'dlv_00000000000000000000000000');
        const answer = await own.call(method.toUpperCase(), url, options);
        look(method, path, answer);
        return answer.body.data;
    };
    // Nobody answers there, and nothing is sent to it but the test.
    const payload = { url: 'https://9.9.9.9:9999/', filter: { events: ['thread.*'] }, mapping: { kind: 'type' } };
    const { id } = (await ask('post', webhooks, [], { payload })).webhook;
    for (const refused of [{}, { ...payload, url: 'http://169.254.169.254/' }]) {
        await ask('post', webhooks, [], { payload: refused });
    }
    await ask('get', webhooks);
    for (const one of [id, gone]) {
        await ask('get', webhook, [one]);
        await ask('get', deliveries, [one]);
        await ask('get', delivery, [one]);
        await ask('post', `${delivery}/retry`, [one]);
        await ask('post', `${webhook}/rotate-secret`, [one], { payload: {} });
        await ask('post', `${webhook}/replay`, [one], { payload: { since: new Date().toISOString() } });
    }
    await ask('post', `${webhook}/replay`, [id], { payload: { since: '2020-01-01T00:00:00.000Z' } });
    const [todo] = await take(app, own.tenantId, [newEvent()]);
    const ids = [id, todo?.deliveryId ?? ''];
    await ask('get', deliveries, [id]);
    await ask('get', delivery, ids);
    await ask('post', `${delivery}/retry`, ids);
    await ask('patch', webhook, [id], { payload: { isActive: false } });
    await ask('post', `${delivery}/retry`, ids);
    await ask('post', `${webhook}/test`, [gone]);
    await ask('delete', webhook, [id], { headers: { 'if-match': '"99"' } });
    await ask('delete', webhook, [id]);
}
