import { setTimeout as sleep } from 'node:timers/promises';

import { newName, type House, type Place, type Session } from './place.ts';
import { TunnelAgent } from '../../../plugins/tunnels/agent/agent.ts';
import { readOptions } from '../../../plugins/tunnels/agent/options.ts';
import { BULK_PATH, SMALL_PATH } from '../processes/tunnel-paths.ts';

const PATIENCE_MS = 20_000;
const LOOK_EVERY_MS = 100;

/** Waits until it is so. */
export async function until(
    isSo: () => boolean | Promise<boolean>,
    what: string,
    patienceMs = PATIENCE_MS,
): Promise<void> {
    const end = performance.now() + patienceMs;
    while (!(await isSo())) {
        if (performance.now() > end) throw new Error(`Waited in vain for ${what}`);
        await sleep(LOOK_EVERY_MS);
    }
}

/** What somebody reads and changes of his own. */
export async function lookAround({ client }: Place, { token }: Session): Promise<void> {
    await client.call('GET', '/api/auth/me', { token });
    await client.call('GET', '/api/auth/sessions', { token });
    await client.call('PATCH', '/api/profile', { token, payload: { displayName: newName() } });
    await client.call('GET', '/api/profile/usage', { token });
    await client.call('GET', '/api/models', { token });
    await client.call('GET', '/api/billing/history?limit=20', { token });
    // What is wrong must not leave anything behind either.
    await client.call('GET', '/api/threads/thread_01K9ZQ4V7N8M3T5R2W6X1Y0ABC', { token, expects: 404 });
    await client.call('POST', '/api/threads', { token, payload: { title: 7 }, expects: 400 });
    await client.call('GET', '/api/threads', { token: 'none', expects: 401 });
}

/** What an admin reads of the money. */
export async function readBills({ client }: Place, { admin: token }: House): Promise<void> {
    const month = new Date().toISOString().slice(0, 7);
    for (const path of [
        'credits',
        'history?limit=20',
        'usage-summary?period=1d',
        'cost-analysis',
        'limits',
        'prices',
    ]) {
        await client.call('GET', `/api/billing/${path}`, { token });
    }
    await client.call('GET', `/api/billing/invoices/${month}`, { token });
}

/** Follows what happens, until told to go away. */
export async function follow({ client }: Place, token: string): Promise<() => void> {
    const stream = await client.open('GET', '/api/events/stream', { token });
    await stream.until('event: ready');
    // It is read all the while.
    void stream.rest().catch(() => undefined);
    return stream.leave;
}

/** A tunnel, its agent, and requests through it. */
export async function useTunnel({ client, service }: Place, { token }: Session): Promise<void> {
    const made = await client.call<{ tunnel: { id: string }; token: string }>('POST', '/api/tunnels', {
        token,
        payload: { name: 'home' },
    });
    const path = `/api/tunnels/${made.tunnel.id}`;
    await client.call('POST', `${path}/start`, { token, payload: {} });
    const agent = agentOf(client.url, service, made.token);
    const ended = agent.run();
    await until(async () => {
        const { status } = await client.call<{ status: { isConnected: boolean } }>('GET', `${path}/status`, { token });
        return status.isConnected;
    }, 'a tunnel');
    for (let n = 0; n < 5; n++) {
        const text = await client.text('GET', `${path}/http${SMALL_PATH}`, { token });
        if (text.length !== 1_024) throw new Error(`${text.length} bytes came through a tunnel`);
    }
    const shared = await client.call<{ token: string }>('POST', `${path}/shares`, { token, payload: {} });
    await client.text('GET', `${path}/http${SMALL_PATH}`, { token: shared.token });
    const bulk = await client.open('GET', `${path}/http${BULK_PATH}`, { token });
    await bulk.until('x');
    bulk.leave();
    agent.stop();
    await ended;
    await client.call('DELETE', path, { token });
}

function agentOf(url: string, target: string, token: string): TunnelAgent {
    const options = readOptions(['--url', url, '--target', target, '--token', token], {});
    if (options === 'help') throw new Error('No options');
    const silent = { tell: () => undefined, relayed: () => undefined, status: () => undefined, end: () => undefined };
    return new TunnelAgent(options, silent);
}

/** A webhook of a tenant, and what it was sent. */
export interface Hook {
    received: () => number;
    /** What has not come yet: how often it was tried, and when it will be again. */
    pending: () => Promise<string>;
    remove: () => Promise<void>;
}

interface Pending {
    deliveries: { tries: number; nextAttemptAt: string }[];
}

/** Has a webhook told of threads that are deleted. */
export async function hook({ client, receiver }: Place, { admin: token }: House, isFlaky: boolean): Promise<Hook> {
    const name = newName();
    const { webhook, secret } = await client.call<{ webhook: { id: string }; secret: string }>(
        'POST',
        '/api/webhooks',
        {
            token,
            payload: { url: receiver.addressOf(name, isFlaky), filter: { events: ['thread.deleted'] } },
        },
    );
    receiver.trust(name, secret);
    const deliveries = `/api/webhooks/${webhook.id}/deliveries`;
    return {
        received: () => receiver.receivedBy(name),
        async pending() {
            const found = await client.call<Pending>('GET', `${deliveries}?status=pending`, { token });
            return found.deliveries
                .map(({ tries, nextAttemptAt }) => `${tries} tries, the next at ${nextAttemptAt}`)
                .join('; ');
        },
        async remove() {
            await client.call('GET', deliveries, { token });
            await client.call('DELETE', `/api/webhooks/${webhook.id}`, { token });
            receiver.forget(name);
        },
    };
}
