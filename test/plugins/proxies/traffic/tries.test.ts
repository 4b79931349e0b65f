import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { RelayFailure, type TunnelService } from '../../../../plugins/tunnels/api.ts';
import { apiError, isApiError } from '../../../../src/http/errors.ts';
import { startApp, type TestApp } from '../../../helpers/app.ts';
import { countCommands } from '../../../helpers/count-commands.ts';
import { StandInProxies, startTraffic, type ProxyChanges, type TestTraffic } from '../../../helpers/proxy-traffic.ts';
import { startRedis, type TestRedis } from '../../../helpers/redis.ts';
import { newTenant, type TestTenant } from '../../../helpers/tenant.ts';
import { textOf, until } from '../../../helpers/tunnel-agent.ts';

import type { RelayRequest } from '../../../../src/relay/types.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, afterEach, after } = lab;

const OFFLINE = () => apiError('TUNNEL_OFFLINE', { cause: new RelayFailure('offline') });
const codeOf = (error: unknown) => (isApiError(error) ? error.data?.code : String(error));
const whole = () => ({
    status: 200,
    headers: [],
    body: (async function* () {
        yield Buffer.from('well');
    })(),
});

describe('ProxyService.relay', () => {
    let redis: TestRedis;
    let app: TestApp;
    let records: StandInProxies;
    let tenant: TestTenant;
    let traffic: TestTraffic;
    /** The members that were tried, in their order, and how they answer. */
    let tried: string[];
    let relay: TunnelService['relay'];

    before(async () => {
        redis = await startRedis();
        app = await startApp({ redisPath: redis.path });
    });

    beforeEach(async () => {
        records = new StandInProxies();
        tenant = await newTenant(app);
        tried = [];
        relay = async () => whole();
    });

    afterEach(() => traffic.stop());

    after(async () => {
        await app.stop();
        await redis.stop();
    });

    const start = async (timings: Parameters<typeof startTraffic>[2] = {}) => {
        traffic = await startTraffic(app, records, timings, {
            relay: (user, tunnelId, request) => {
                tried.push(tunnelId);
                return relay(user, tunnelId, request);
            },
        });
    };
    const newProxy = (members: string[], changes: ProxyChanges = {}) =>
        records.add(
            app,
            tenant,
            members.map((tunnelId, priority) => ({ tunnelId, priority })),
            changes,
        );
    const send = async (proxyId: string, method = 'GET', changed: Partial<RelayRequest> = {}) => {
        const head = { method, path: '/', headers: [] };
        const request = { head, body: null, gone: new AbortController().signal, ...changed };
        return textOf(await traffic.relay(tenant, proxyId, request));
    };
    /** Answers only by failing when it is given up. */
    const silent: TunnelService['relay'] = (_user, _tunnelId, { gone }) =>
        new Promise((_resolve, reject) => {
            const fail = () =>
                reject(
                    apiError('TUNNEL_ERROR', {
                        details: { reason: 'cancelled' },
                        cause: new RelayFailure('cancelled'),
                    }),
                );
            gone.addEventListener('abort', fail);
            if (gone.aborted) fail();
        });

    it('asks Redis once to enter a proxy, and once to leave it', async () => {
        await start();
        const { id } = await newProxy(['a', 'b'], { strategy: 'least_connections' });
        await send(id);
        await traffic.flush();
        const commands = await countCommands(app.redis, () => send(id));
        expect(commands).to.equal(['evalsha', 'evalsha']);
    });

    it('goes to each member once, and only then again after a pause', async () => {
        await start();
        const { id } = await newProxy(['a', 'b', 'c'], { config: { retries: 5, backoff: 200 } });
        relay = async () => {
            throw OFFLINE();
        };
        expect(codeOf(await send(id, 'POST').catch((error: unknown) => error))).to.equal('PROXY_OFFLINE');
        expect(tried).to.equal(['a', 'b', 'c', 'a', 'b', 'c']);
    });

    it('makes no more tries than the proxy allows', async () => {
        await start();
        relay = async () => {
            throw OFFLINE();
        };
        for (const retries of [0, 1, 2]) {
            tried.length = 0;
            const { id } = await newProxy(['a', 'b', 'c'], { config: { retries } });
            const code = await send(id).catch(codeOf);
            expect([code, tried.length]).to.equal([retries === 2 ? 'PROXY_OFFLINE' : 'TUNNEL_OFFLINE', retries + 1]);
        }
    });

    it('gives each try the proxy’s timeout, and all of them their budget', async () => {
        await start({ budgetMs: 1_000 });
        relay = silent;
        const { id } = await newProxy(['a', 'b', 'c'], { config: { timeout: 600 } });
        const since = Date.now();
        expect(await send(id).catch(codeOf)).to.equal('TUNNEL_TIMEOUT');
        // The second was given what was left, and there was nothing for a third.
        expect(tried).to.equal(['a', 'b']);
        expect(Date.now() - since).to.be.at.least(980);
        // A first try may last longer than the budget.
        tried.length = 0;
        const patient = await newProxy(['a', 'b'], { config: { timeout: 1_200 } });
        const again = Date.now();
        expect(await send(patient.id).catch(codeOf)).to.equal('TUNNEL_TIMEOUT');
        expect([tried, Date.now() - again >= 1_180]).to.equal([['a'], true]);
        expect(records.notes.every(({ isSuccess, error }) => !isSuccess && error === 'timeout')).to.be.true();
    });

    it('does not call a request late while it is being sent', async () => {
        await start();
        const { id } = await newProxy(['a'], { config: { timeout: 300 } });
        relay = async (_user, _tunnelId, { body }) => {
            if (body) await textOf({ body });
            return whole();
        };
        async function* slowly() {
            for (let piece = 0; piece < 6; piece++) {
                await new Promise((resolve) => setTimeout(resolve, 100));
                yield Buffer.from('x');
            }
        }
        expect(await send(id, 'POST', { body: slowly() })).to.equal('well');
    });

    it('goes on to nobody when the quota is used up or the datastore is away', async () => {
        await start();
        const { id } = await newProxy(['a', 'b']);
        for (const error of [apiError('QUOTA_EXCEEDED'), new Error('Connection is closed.')]) {
            tried.length = 0;
            relay = async () => {
                throw error;
            };
            expect(await send(id).catch((thrown: unknown) => thrown)).to.shallow.equal(error);
            expect(tried).to.equal(['a']);
        }
        expect(records.notes).to.equal([]);
    });

    it('ends its pause, and its tries, when the client leaves', async () => {
        await start();
        relay = async () => {
            throw OFFLINE();
        };
        const { id } = await newProxy(['a'], { config: { retries: 10, backoff: 60_000 } });
        const client = new AbortController();
        const sent = send(id, 'GET', { gone: client.signal }).catch(codeOf);
        await until(() => tried.length === 1);
        client.abort();
        expect(await sent).to.equal('TUNNEL_OFFLINE');
        expect(tried).to.equal(['a']);
        const place = { tenantId: tenant.tenantId, proxyId: id };
        await until(async () => (await traffic.load(place)).active === 0);
    });

    it('gives the place back whatever comes of a request', async () => {
        await start();
        const { id } = await newProxy(['a', 'b'], { config: { maxConnections: 1, retries: 1 } });
        const place = { tenantId: tenant.tenantId, proxyId: id };
        for (const error of [OFFLINE(), new Error('Away'), null]) {
            relay = async () => {
                if (error) throw error;
                return whole();
            };
            await send(id).catch(() => undefined);
            await until(async () => (await traffic.load(place)).active === 0);
        }
    });

    it('answers also when nothing can be noted of the member', async () => {
        await start();
        records.note = async () => {
            throw new Error('Connection is closed.');
        };
        const { id } = await newProxy(['a', 'b']);
        expect(await send(id)).to.equal('well');
    });

    it('refuses a path that leaves the service, without a try', async () => {
        await start();
        const { id } = await newProxy(['a']);
        const head = { method: 'GET', path: '/a/../../b', headers: [] };
        expect(await send(id, 'GET', { head }).catch(codeOf)).to.equal('MALFORMED_REQUEST');
        expect([tried, records.uses]).to.equal([[], 0]);
    });

    it('lets running calls go on when the server stops, and sends those who wait away', async () => {
        await start();
        let finish = (): void => undefined;
        const held = new Promise<void>((resolve) => (finish = resolve));
        relay = async () => ({
            ...whole(),
            body: (async function* () {
                yield Buffer.from('be');
                await held;
                yield Buffer.from('gun');
            })(),
        });
        const { id } = await newProxy(['a'], { config: { maxConnections: 1 } });
        const place = { tenantId: tenant.tenantId, proxyId: id };
        traffic.admit(tenant);
        const url = `${traffic.uri}/api/proxies/${id}/http/`;
        const headers = { authorization: `Bearer ${tenant.accessToken}`, connection: 'close' };
        const running = await fetch(url, { headers });
        const waiting = fetch(url, { headers });
        await until(async () => (await traffic.load(place)).waiting === 1);
        traffic.drain.begin();
        const stopped = traffic.stop(10_000);
        const refused = await waiting;
        const { error } = (await refused.json()) as { error: { code: string } };
        expect([refused.status, error.code]).to.equal([503, 'SHUTTING_DOWN']);
        expect(Number(refused.headers.get('retry-after'))).to.be.above(0);
        finish();
        expect(await running.text()).to.equal('begun');
        await stopped;
        expect(await app.redis.exists(`${records.key(place)}:leases`, `${records.key(place)}:line`)).to.equal(0);
    });

    it('gives back what is left when the server has stopped', async () => {
        await start();
        relay = silent;
        const { id } = await newProxy(['a']);
        const client = new AbortController();
        const sent = send(id, 'GET', { gone: client.signal }).catch(codeOf);
        await until(() => tried.length === 1);
        const leases = `${records.key({ tenantId: tenant.tenantId, proxyId: id })}:leases`;
        expect(await app.redis.exists(leases)).to.equal(1);
        await traffic.stop();
        expect(await app.redis.exists(leases)).to.equal(0);
        client.abort();
        await sent;
    });
});
