import { TUNNEL_NEWS, type TunnelPlace, type TunnelService } from '../../plugins/tunnels/api.ts';
import { tenantKey } from '../../src/redis/keys.ts';

import type { Answer, CallOptions, TestApp } from './app.ts';

interface Caller {
    call: (method: string, url: string, options?: CallOptions) => Promise<Answer>;
}

function made({ status, body, text }: Answer) {
    if (status !== 201 && status !== 200) throw new Error(`Not made: ${text}`);
    return body.data;
}

/** A new tunnel of a user, by its id. */
export const newTunnel = async (user: Caller, name = 'ollama-at-home'): Promise<string> =>
    String((await newTunnelWithToken(user, name)).tunnel.id);

export const newTunnelWithToken = async (user: Caller, name = 'ollama-at-home') =>
    made(await user.call('POST', '/api/tunnels', { payload: { name } }));

export const newEndpoint = async (user: Caller, tunnelId: string, more: object = {}): Promise<string> => {
    const payload = { url: 'http://localhost:11434', ...more };
    return String(made(await user.call('POST', `/api/tunnels/${tunnelId}/endpoints`, { payload })).endpoint.id);
};

/** A new share of a tunnel: with a user, or by the token that comes with it. */
export async function newShare(
    user: Caller,
    tunnelId: string,
    payload: object = {},
): Promise<{ id: string; token: string }> {
    const { share, token } = made(await user.call('POST', `/api/tunnels/${tunnelId}/shares`, { payload }));
    return { id: share.id, token };
}

/** What the gateway and other features use. */
export const portOf = (app: TestApp): TunnelService => app.server.plugins.tunnels;

let links = 0;

/** A new link of a tunnel that is up, as the gateway tells of it. */
export async function linkUp(app: TestApp, place: TunnelPlace, more: { tokenHash?: string } = {}) {
    const port = portOf(app);
    const connectionId = `link-${links++}`;
    const epoch = await port.nextEpoch(place);
    const verdict = await port.linkUp(place, { connectionId, epoch, agent: 'llm-tunnel/1.0.0', ...more });
    return { connectionId, epoch, verdict };
}

/** A new tunnel that was started. */
export async function newRunningTunnel(user: Caller, name?: string) {
    const { tunnel, token } = await newTunnelWithToken(user, name);
    made(await user.call('POST', `/api/tunnels/${tunnel.id}/start`));
    return { tunnelId: String(tunnel.id), token: String(token) };
}

/** Every key of a tenant's tunnels, but for events, audit and the like. */
export async function tunnelKeys(app: TestApp, tenantId: string): Promise<string[]> {
    const keys = await app.redis.keys(`${tenantKey(tenantId, '*')}`);
    return keys.filter((key) => key.includes('tunnel')).toSorted();
}

/** What replicas are told from now on. */
export async function newsOf(app: TestApp, id: string) {
    const subscriber = app.redis.duplicate({ enableOfflineQueue: true });
    await subscriber.subscribe(TUNNEL_NEWS);
    const news: Record<string, string>[] = [];
    subscriber.on('message', (_channel, text: string) => {
        const message = JSON.parse(text) as Record<string, string>;
        if (message.tunnelId === id) news.push(message);
    });
    return {
        /** All that was told: what is published by the same server later comes later. */
        all: async () => {
            const mark = { kind: 'mark', tunnelId: id };
            await app.redis.publish(TUNNEL_NEWS, JSON.stringify(mark));
            while (news.at(-1)?.kind !== 'mark') await new Promise((resolve) => setImmediate(resolve));
            subscriber.disconnect();
            return news.slice(0, -1);
        },
    };
}
